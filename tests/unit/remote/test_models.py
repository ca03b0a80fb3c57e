"""The descriptions of services that clients are made of."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader

from pyfs.remote.models import ModelLoader


@pytest.mark.parametrize("service", ["s3", "dynamodb", "sts", "sso", "sso-oidc", "signin"])
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_it_finds_what_botocore_finds(service: str, kind: str) -> None:
    def found(loader: Loader) -> object:
        try:
            return json.dumps(loader.load_service_model(service, kind))
        except (UnknownServiceError, DataNotFoundError):
            return None

    assert found(ModelLoader(None)) == found(Loader())


@pytest.mark.parametrize("name", ["endpoints", "partitions", "sdk-default-configuration", "_retry"])
def test_so_it_does_with_what_all_services_share(name: str) -> None:
    assert ModelLoader(None).load_data(name) == Loader().load_data(name)


def test_an_unknown_service_is_told() -> None:
    with pytest.raises(UnknownServiceError, match="dynamodb"):
        ModelLoader(None).load_service_model("nothing", "service-2")


def test_folders_of_the_environment_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELS", str(tmp_path))
    folder = tmp_path / "own" / "2026-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {}}')
    (tmp_path / "_retry.json").write_text('{"retry": "other"}')
    loader = ModelLoader(f"{tmp_path / 'absent'}:$MODELS")
    assert loader.load_service_model("own", "service-2") == {"metadata": {}}
    assert loader.load_data("_retry") == {"retry": "other"}
