"""The forms, each with a CSRF token."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import IntegerField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange


class LoginForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", [DataRequired()])
    password = PasswordField("Password", [DataRequired()])


class CityForm(FlaskForm):  # type: ignore[misc]
    province = StringField("Province", [DataRequired(), Length(max=255)])
    city = StringField("City", [DataRequired(), Length(max=255)])
    number = IntegerField("Users", [InputRequired(), NumberRange(0, 2_147_483_647)])


class UploadForm(FlaskForm):  # type: ignore[misc]
    file = FileField("File", [FileRequired()])
