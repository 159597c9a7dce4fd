"""The tests, which mirror the source; `servers` starts real servers for them, `calls/` holds whole calls as scripts."""
