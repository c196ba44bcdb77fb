"""Whether the disk has room."""

import pytest

from app.disk import has_space, is_full

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("total", "free", "coming", "full"),
    [
        (10 * GB, 2 * GB, 0, False),
        (10 * GB, GB, 0, False),
        (10 * GB, GB - 1, 0, True),  # 10 %, but less than 1 GB
        (100 * GB, 5 * GB, 0, False),
        (100 * GB, 5 * GB - 1, 0, True),  # over 1 GB, but less than 5 %
        (100 * GB, 6 * GB, GB, False),
        (100 * GB, 6 * GB, GB + 1, True),
    ],
)
def test_space_ends_at_5_percent_or_1_gigabyte(total, free, coming, full):
    assert is_full(total, free, coming) is full


def test_space_of_this_machine_is_asked(tmp_path):
    assert not has_space(tmp_path / "new", coming=10**18)
