from pyfs.repo.message import RowChanges, default_message


def test_one_table() -> None:
    assert default_message({"primes": RowChanges(added=11)}, []) == "Update primes: +11 -0 ~0 rows"


def test_several_tables_give_the_sum_of_their_rows() -> None:
    updated = {"b": RowChanges(modified=2), "a": RowChanges(added=1)}
    assert default_message(updated, []) == "Update a, b: +1 -0 ~2 rows"


def test_a_drop() -> None:
    assert default_message({}, ["t"]) == "Drop t"


def test_an_update_and_a_drop() -> None:
    message = default_message({"t": RowChanges(removed=3)}, ["v", "u"])
    assert message == "Update t: +0 -3 ~0 rows; Drop u, v"


def test_schemas() -> None:
    assert default_message({}, [], ["v", "u"], ["t"]) == "Create u, v; Alter t"
