"""The list of `flask` commands."""


def test_former_name_of_the_release_check_is_not_listed(app):
    run = app.test_cli_runner().invoke
    listed = [line.split()[0] for line in run(args=["--help"]).output.splitlines() if line.strip()]
    assert "check-release" in listed
    assert "try" not in listed
    assert "Start this release beside the running one" in run(args=["try", "--help"]).output
