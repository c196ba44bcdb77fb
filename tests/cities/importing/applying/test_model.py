"""Any sequence of adding, editing, removing, importing and undoing imports leaves the register as a
simple model says."""

from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from app.cities import services
from app.cities.importing.applying import parts
from app.cities.importing.applying.services import undo_import
from app.cities.importing.models import CityImport
from app.cities.models import City, RemovedCity
from app.database.engine import db
from app.history.models import HistoryEntry
from app.jobs.models import Job
from tests.cities.conftest import given, version_of
from tests.cities.importing.staging import confirm, editor, perform, read, stage
from tests.factories import add_person

NAMES = st.sampled_from(["甲", "乙", "丙", "丁", "戊"])
NUMBERS = st.integers(0, 3)
# A new stamp for each state of each city.
stamps = count()


@dataclass(frozen=True)
class State:
    """One city."""

    users: int
    stamp: int


@dataclass(frozen=True)
class Effect:
    """What an import has done to a city: the state before, None for a new one, and after."""

    before: State | None
    after: State


class Register(RuleBasedStateMachine):
    """The register, and the model: the state of each city by its name."""

    imports = Bundle("imports")
    person = 0  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, State] = {}
        db.session.rollback()
        for table in (City, RemovedCity, CityImport, HistoryEntry, Job):
            db.session.execute(delete(table))
        db.session.commit()

    @property
    def actor(self):
        return editor(self.person)

    def id_of(self, name):
        return db.session.scalars(select(City.id).where(City.cityname == name)).one()

    @rule(name=NAMES, users=NUMBERS)
    def add(self, name, users):
        try:
            services.create_city(self.actor, given("a", name, str(users)))
        except services.AlreadyThere:
            assert name in self.model
        else:
            assert name not in self.model
            self.model[name] = State(users, next(stamps))

    @rule(name=NAMES, users=NUMBERS)
    def edit(self, name, users):
        if name in self.model:
            city_id = self.id_of(name)
            values = given("a", name, str(users))
            services.update_city(self.actor, city_id, version_of(city_id), values)
            self.change(name, users)

    def change(self, name, users):
        """Give a city of the model a number; the same one changes nothing."""
        if self.model[name].users != users:
            self.model[name] = State(users, next(stamps))

    @rule(name=NAMES)
    def remove(self, name):
        if self.model.pop(name, None):
            services.delete_city(self.actor, self.id_of(name))

    @rule(target=imports, numbers=st.dictionaries(NAMES, NUMBERS, min_size=1))
    def load(self, numbers):
        """Import some lines."""
        import_id = stage(self.person, "".join(f"a,{name},{n}\n" for name, n in numbers.items()))
        added, changed = confirm(import_id, self.person)
        effects = {}
        for name, users in numbers.items():
            before = self.model.get(name)
            if before is None:
                self.model[name] = State(users, next(stamps))
            self.change(name, users)
            if self.model[name] != before:
                effects[name] = Effect(before, self.model[name])
        assert added + changed == len(effects)
        return (import_id, effects) if effects else multiple()

    @rule(done=consumes(imports))
    def undo(self, done):
        import_id, effects = done
        undo_import(self.actor, import_id)
        perform()
        same = {name for name, each in effects.items() if self.model.get(name) == each.after}
        for name in same:
            before = effects[name].before
            if before is None:
                del self.model[name]
            else:
                self.model[name] = State(before.users, next(stamps))
        found = read(import_id)
        assert (found.state, found.kept) == ("undone", len(effects) - len(same))
        undo_import(self.actor, import_id)  # it stays as it is
        perform()

    @invariant()
    def register_is_as_the_model(self):
        db.session.rollback()
        rows = db.session.execute(select(City.cityname, City.usernumber)).all()
        assert sorted(rows) == sorted((name, each.users) for name, each in self.model.items())


@pytest.mark.parametrize(
    "examples", [8, pytest.param(2000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_any_sequence_is_as_a_simple_model(app, monkeypatch, examples):
    monkeypatch.setattr(parts, "LINES", 2)
    with app.app_context():
        monkeypatch.setattr(Register, "person", add_person("editor", "editor"))
        run_state_machine_as_test(
            Register,
            settings=settings(
                max_examples=examples,
                stateful_step_count=12,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
