"""The addresses and the page of π and Fibonacci."""

from flask import Blueprint

bp = Blueprint("numbers", __name__)


@bp.get("/numbers")
def show_numbers() -> str:
    """The page."""
    return "numbers"
