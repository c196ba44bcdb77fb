"""Removed things: for how long they can be restored, and emptying what can be.

Packages store what is removed in their own tables and list it on pages of their own.
"""
