import pytest

from vestnik.channels.smpp_settings import HELP, SmppSettings, Verdict, settings_from


def test_nothing_set_is_the_default():
    assert settings_from({}) == SmppSettings()


def test_an_operators_words_become_values():
    settings = settings_from(
        {
            "port": "3700",
            "rate": "30.5",
            "tls": "true",
            "plus_sign": 1,
            "errors": '{"0x0400": [25, 248, true]}',
            "stats": {"FAILED": [20, 1]},
        }
    )

    assert (settings.port, settings.rate, settings.tls, settings.plus_sign) == (
        3700,
        30.5,
        True,
        True,
    )
    assert settings.errors == {"0x0400": Verdict(25, 248, True)}
    assert settings.stats == {"FAILED": (20, 1)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"windw": 5}, "did you mean 'window'"),
        ({"pasword": "x"}, "did you mean 'password'"),
        ({"zzz": 1}, "did you mean"),
        ({"window": 0}, "window"),
        ({"window": "many"}, "window"),
        ({"bind": "sometimes"}, "bind"),
        ({"receipt_ids": "octal"}, "receipt_ids"),
        ({"alpha_ton": 256}, "alpha_ton"),
        ({"errors": {"busy": [20, 1]}}, "'busy' is not a command_status"),
        ({"errors": "{"}, "errors"),
        ({"receipt_zone": "Europe/Moskow"}, "receipt_zone"),
    ],
)
def test_a_mistake_is_named(values, expected):
    with pytest.raises(ValueError, match=expected):
        settings_from(values)


def test_every_setting_has_one_line_of_help():
    assert list(HELP) == list(SmppSettings.__struct_fields__)
    for line in HELP.values():
        assert line.endswith(".")
        assert "\n" not in line


def test_the_password_is_never_shown():
    assert "secret" not in repr(SmppSettings(password="secret"))
