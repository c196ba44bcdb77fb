"""Excel workbooks (.xlsx, .xlsm) as rows of text, read by a child process with limits."""
