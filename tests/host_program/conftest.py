"""Set-up of the tests of programs in processes of their own."""

import pytest

pytest.register_assert_rewrite("tests.host_program.processes")
