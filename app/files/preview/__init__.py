"""Previews: what of a file is shown in its page. Nothing in a file ever runs: pictures are made
again in a child process, text is escaped, everything else is sent in a sandbox."""
