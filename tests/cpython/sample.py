"""Tests that end in every way there is, for the tests of the runner itself; they are CPython's in style only."""

# ruff: noqa: PT009 - the style of unittest, whose messages are recorded

import asyncio
import os
import time
import unittest


class Sample(unittest.TestCase):
    def test_a_passes_on_a_loop(self):
        async def main():
            await asyncio.sleep(0)
            return 1

        self.assertEqual(asyncio.run(main()), 1)

    def test_b_crashes(self):
        os._exit(3)

    def test_c_passes_without_a_loop(self):
        self.assertFalse(asyncio.isfuture(1))

    def test_d_hangs(self):
        time.sleep(60)

    @unittest.skip("not today")
    def test_e_is_skipped(self):
        raise AssertionError

    def test_f_fails_in_a_part(self):
        with self.subTest("first"):
            self.assertEqual(1, 2)
        with self.subTest("second"):
            pass

    def test_g_raises(self):
        raise KeyError("g")

    def test_h_fails_after_others_only(self):
        self.assertFalse(Sample.others_have_run)

    others_have_run = False

    def setUp(self):
        self.addCleanup(setattr, Sample, "others_have_run", True)

    def test_i_sees_which_task_is_made(self):
        async def main():
            return type(asyncio.current_task()).__module__

        self.assertEqual(asyncio.run(main()), "trioasync.tasks")


class CannotBeSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no server")

    def test_never_run(self):
        pass
