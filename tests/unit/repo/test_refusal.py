import pytest

from pyfs.repo.refusal import trigger_on

HEADER = "type,name,fragment,extra,sql_mode\n"


def row(kind: str, name: str, fragment: str) -> str:
    return f'{kind},{name},"{fragment.replace(chr(34), chr(34) * 2)}","{{""CreatedAt"": 0}}",\n'


@pytest.mark.parametrize(
    "fragment",
    [
        "create trigger tr before insert on t for each row set new.a = 1",
        "CREATE TRIGGER `tr` AFTER DELETE ON `t`\nFOR EACH ROW BEGIN END",
        "create definer=`root`@`%` trigger tr after  update on db.T for each row set @x = 1",
        "create trigger tr before update on `db`.`t` for each row set @x = 1",
    ],
)
def test_a_trigger_is_on_its_table_only(fragment: str) -> None:
    text = (
        HEADER
        + row("view", "v", "create view v as select * from u")
        + row("trigger", "tr", fragment)
    )
    assert trigger_on(text, "t") == "trigger 'tr' is on it"
    assert trigger_on(text, "u") is None


def test_a_name_in_backquotes_may_hold_anything() -> None:
    text = HEADER + row(
        "trigger", "tr", "create trigger tr before insert on `a ``b` for each row x"
    )
    assert trigger_on(text, "a `b") is not None
    assert trigger_on(text, "a") is None


def test_a_trigger_that_is_not_understood_may_be_on_any_table() -> None:
    text = HEADER + row("trigger", "tr", "create trigger /* odd */ nonsense")
    reason = trigger_on(text, "t")
    assert reason is not None
    assert "not understood" in reason


def test_views_and_events_refuse_nothing() -> None:
    text = HEADER + row("event", "e", "create event e on schedule every 1 day do delete from t")
    assert trigger_on(text, "t") is None
    assert trigger_on(HEADER, "t") is None
