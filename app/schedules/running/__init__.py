"""What every clock does about schedules: starting jobs, and doing housekeeping itself."""
