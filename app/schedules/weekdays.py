"""The weekdays of cron: 0 and 7 are Sunday there. APScheduler counts from Monday, so it is given
names."""

NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def name_weekdays(field: str) -> str:
    """A field of cron with the names of its weekdays; ValueError if it is not valid."""
    if field == "*":
        return field
    days = [day for item in field.split(",") for day in days_of(item)]
    return ",".join(NAMES[day] for day in sorted(set(days)))


def days_of(item: str) -> list[int]:
    """The days of one item: 1, mon, 1-5, fri-mon, */2."""
    span, slash, step = item.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        begin, end = 0, 6
    else:
        begin = number_of(first)
        end = number_of(last) if dash else 6 if slash else begin
    if end < begin:  # over the end of the week
        end += 7
    every = int(step) if slash else 1
    if every < 1:
        raise ValueError(item)
    return [day % 7 for day in range(begin, end + 1, every)]


def number_of(text: str) -> int:
    """The number of a weekday, from 0 to 7."""
    if text in NAMES:
        return NAMES.index(text)
    number = int(text)
    if not 0 <= number <= 7:
        raise ValueError(text)
    return number
