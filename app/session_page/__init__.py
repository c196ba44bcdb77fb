"""The page that shows what a shared session is: values in Redis that every worker finds."""
