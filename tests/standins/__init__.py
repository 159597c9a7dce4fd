"""Stand-ins of services that the line asks for something: over real HTTP, on this machine, with a memory."""
