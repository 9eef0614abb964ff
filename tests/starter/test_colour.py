import pytest

from starter.colour import COLOURS, HEX, Icon, colour_word, hex_to_hls, hls_to_hex, recolour

APPLE = Icon('<path fill="#F92F60"/><path fill="#d3104a"/><path fill="#008463"/>', 32, 32)


def fills(icon: Icon) -> list[str]:
    return HEX.findall(icon.body)


@pytest.mark.parametrize("text", ["#f92f60", "#008463", "#ffffff", "#000000"])
def test_hls_and_back(text: str) -> None:
    hue, lightness, saturation = hex_to_hls(text)
    assert hls_to_hex(hue, lightness, saturation) == text


def test_short_hex_is_read_like_long() -> None:
    assert hex_to_hls("#f08") == hex_to_hls("#ff0088")


@pytest.mark.parametrize("colour", COLOURS)
def test_the_main_colour_takes_the_new_hue(colour: str) -> None:
    hue, saturation, lightness = COLOURS[colour]
    found = hex_to_hls(fills(recolour(APPLE, "#F92F60", colour))[0])
    assert found == pytest.approx((hue, lightness, saturation), abs=0.02)


def test_shades_follow_and_other_colours_stay() -> None:
    main, shade, leaf = fills(recolour(APPLE, "#F92F60", "blue"))
    assert leaf == "#008463"
    assert hex_to_hls(shade)[1] < hex_to_hls(main)[1]
    assert abs(hex_to_hls(shade)[0] - COLOURS["blue"][0]) < 0.05


def test_a_grey_subject_can_be_coloured() -> None:
    grey = Icon('<path fill="#9B9B9B"/><path fill="#fff"/>', 32, 32)
    main, white = fills(recolour(grey, "#9B9B9B", "pink"))
    assert hex_to_hls(main)[0] == pytest.approx(COLOURS["pink"][0], abs=0.01)
    assert white == "#fff"


@pytest.mark.parametrize(
    ("fill", "word"), [("#f8312f", "red"), ("#00a6ed", "blue"), ("#9b9b9b", None), ("#fff", None)]
)
def test_words_for_fills(fill: str, word: str | None) -> None:
    assert colour_word(fill) == word
