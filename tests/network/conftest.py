"""Set-up of the network tests."""

import pytest

pytest.register_assert_rewrite("tests.network.ways")
