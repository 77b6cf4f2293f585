import pytest
from msgspec.structs import fields

from vestnik import config
from vestnik.config import SettingsWrong


def loaded(tmp_path, text="", environ=None):
    (tmp_path / "vestnik.toml").write_text(text)
    return config.load(tmp_path, None, environ or {})


def test_an_empty_folder_has_every_default(tmp_path):
    settings = config.load(tmp_path, None, {})

    assert settings == config.Settings()
    assert settings.http.listen == "127.0.0.1:8080"
    assert settings.centre.sender == "Vestnik"


def test_a_file_changes_what_it_names(tmp_path):
    settings = loaded(tmp_path, '[centre]\nnode = 3\nsender = "Shop"\n[tasks]\nperiod_s = 1\n')

    assert settings.centre.node == 3
    assert settings.centre.sender == "Shop"
    assert settings.tasks.period_s == 1.0
    assert settings.http == config.Settings().http


def test_the_environment_overrides_the_file(tmp_path):
    environ = {
        "VESTNIK_CENTRE__NODE": "4",
        "VESTNIK_TASKS__PERIOD_S": "0.5",
        "VESTNIK_LOG__FORMAT": "json",
        "VESTNIK_TEST": "not a setting: it has no section",
        "HOME": "/root",
    }

    settings = loaded(tmp_path, "[centre]\nnode = 3\n", environ)

    assert settings.centre.node == 4
    assert settings.tasks.period_s == 0.5
    assert settings.log.format == "json"


def test_a_file_may_lie_elsewhere(tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('[store]\nurl = "postgresql:///centre"\n')

    assert config.load(tmp_path, other, {}).store.url == "postgresql:///centre"


def test_a_file_that_was_named_must_exist(tmp_path):
    with pytest.raises(SettingsWrong, match=r"there is no settings file .*missing\.toml"):
        config.load(tmp_path, tmp_path / "missing.toml", {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[htpp]\n", r"there is no section \[htpp\]; did you mean \[http\]\?"),
        ('[http]\nlisten_on = "x"\n', r"no setting 'listen_on' in \[http\]; did you mean listen\?"),
        ("[http]\nperiod_s = 5\n", r"in \[http\]; did you mean \[tasks\] period_s\?"),
        ("[http]\nqqqq = 5\n", r"there is no setting 'qqqq' in \[http\]$"),
        ("http = 5\n", r"http is a section: write \[http\] above its settings"),
        (
            '[centre]\nnode = "one"\n',
            r"\[centre\] node takes a whole number from 0 to 30, not 'one'",
        ),
        ("[centre]\nnode = 31\n", r"takes a whole number from 0 to 30, not 31"),
        ("[centre]\nnode = true\n", r"takes a whole number from 0 to 30, not True"),
        ("[centre]\nsender = 7\n", r"\[centre\] sender takes text, not 7"),
        ('[centre]\nlanguage = "de"\n', r"takes 'ru' or 'en', not 'de'"),
        ("[tasks]\nperiod_s = 0\n", r"period_s takes a number above 0"),
        ('[centre]\nzone = "Moscow"\n', r"no time zone 'Moscow'; one is Europe/Moscow"),
        ('[http]\nlisten = "8080"\n', r"\[http\] listen is host:port"),
        ('[http]\nlisten = "h:70000"\n', r"\[http\] listen is host:port"),
        ('[http]\nprivate = "9090"\n', r"\[http\] private is host:port"),
        ('[smtp]\nlisten = "2525"\n', r"\[smtp\] listen is host:port"),
        ('[smtp]\nrelay = "mail"\n', r"\[smtp\] relay is host:port"),
        ('[smpp]\nlisten = "h"\n', r"\[smpp\] listen is host:port"),
        ('[smpp]\ntls_listen = ":1"\n', r"\[smpp\] tls_listen is host:port"),
        ('[http]\ntls_cert = "c.pem"\n', r"tls_cert and tls_key are given together"),
        ("[http\n", r"vestnik.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(tmp_path, text, words):
    with pytest.raises(SettingsWrong, match=words):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "VESTNIK_HTPP__LISTEN",
            "x",
            r"no setting VESTNIK_HTPP__LISTEN; did you mean VESTNIK_HTTP",
        ),
        ("VESTNIK_HTTP__LISTTEN", "x", r"no setting 'listten' in \[http\]; did you mean listen\?"),
        ("VESTNIK_CENTRE__NODE", "one", r"\(VESTNIK_CENTRE__NODE\): \[centre\] node takes a whole"),
    ],
)
def test_the_environment_is_read_as_strictly(tmp_path, variable, value, words):
    with pytest.raises(SettingsWrong, match=words):
        loaded(tmp_path, environ={variable: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:80", ("::1", 80)),
        ("off", None),
    ],
)
def test_an_address_is_host_and_port(text, expected):
    assert config.address(text) == expected


def test_every_setting_describes_itself():
    described = list(config.describe())

    assert len({(s.section, s.name) for s in described}) == len(described)
    assert all(s.help and "\n" not in s.help for s in described)
    assert {s.section for s in described} == {f.name for f in fields(config.Settings)}
