"""flask commands, and the processes behind them: run, demo, check-release, private Redis."""
