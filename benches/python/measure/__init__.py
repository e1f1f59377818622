"""Measures what an await costs: asyncio drivers for SQLite and Turso side by side, a fresh process for each cell."""
