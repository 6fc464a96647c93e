"""What carries asyncio on trio: the pump, the hosts of the Tasks, cancellation, the lifetime of a loop."""
