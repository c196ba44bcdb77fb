"""What views with forms share."""

from typing import Any

from app.errors import DomainError, Invalid


def add_form_errors(form: Any, error: DomainError) -> int:
    """Write a refusal beside the fields it names, the rest above the form; returns the status."""
    fields = error.fields if isinstance(error, Invalid) else {}
    for name, text in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
    if not fields or any(name not in form for name in fields):
        form.form_errors.append(error.message)
    return error.status
