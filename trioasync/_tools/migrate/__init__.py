"""`trioasync audit` and `trioasync migrate`: an asyncio code base goes to trio in steps that each leave it running."""
