"""Cyrillic text in Latin letters, so that it fits the GSM alphabet.

The letters of the first table are those of text.md.  Of the second the page gives seven, from its
example "mpaHc/Ium"; the rest, and in both the Ukrainian, Belarusian and Kazakh letters, are our
choice: the shortest that GSM has without an escape.
"""

import re

TRANSCRIPTION, LOOK_ALIKE = 1, 2


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


_TRANSCRIBED = _table("""
    а=a б=b в=v г=g д=d е=e ё=yo ж=zh з=z и=i й=j к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f
    х=h ц=c ч=ch ш=sh щ=sch ъ=" ы=y ь=' э=e ю=yu я=ya
    і=i ї=yi є=ye ґ=g ў=u ә=a ғ=g қ=q ң=n ө=o ұ=u ү=u һ=h
""")
_LOOKING_ALIKE = _table("""
    а=a б=6 в=B г=r д=g е=e ё=e ж=)I( з=3 и=u й=u к=k л=/I м=M н=H о=o п=n р=p с=c т=m у=y ф=qp
    х=x ц=u, ч=4 ш=w щ=w, ъ='b ы=bI ь=b э=3 ю=IO я=R
    А=A Б=6 В=B Г=I' Д=D Е=E Ё=E Ж=)I( З=3 И=U Й=U К=K Л=/I М=M Н=H О=O П=II Р=P С=C Т=T У=Y Ф=qp
    Х=X Ц=U, Ч=4 Ш=W Щ=W, Ъ='b Ы=bI Ь=b Э=3 Ю=IO Я=R
    і=i ї=i є=e ґ=r ў=y ә=a ғ=r қ=k ң=H ө=o ұ=y ү=y һ=h
    І=I Ї=I Є=E Ґ=I' Ў=Y Ә=A Ғ=F Қ=K Ң=H Ө=O Ұ=Y Ү=Y Һ=h
""")

_look_alike = str.maketrans(_LOOKING_ALIKE)
_transcription = str.maketrans(
    _TRANSCRIBED | {char.upper(): latin.capitalize() for char, latin in _TRANSCRIBED.items()}
)
_long_capital = re.compile(
    f"[{''.join(char.upper() for char, latin in _TRANSCRIBED.items() if len(latin) > 1)}]"
)


def translit(text: str, style: int) -> str:
    """The text in Latin letters: style 1 transcribes, 2 takes glyphs that look alike, 0 nothing.

    Other characters stay.  Do this before counting (text.md).  Raises ValueError for other styles.
    """
    if style not in (0, TRANSCRIPTION, LOOK_ALIKE):
        raise ValueError(f"there is no transliteration {style}")
    if style == 0 or text.isascii():
        return text
    if style == LOOK_ALIKE:
        return text.translate(_look_alike)
    return _long_capital.sub(_capital, text).translate(_transcription)


def _capital(letter: re.Match[str]) -> str:
    """A capital that becomes several letters: all of them capital inside a word of capitals."""
    before = letter.string[letter.start() - 1 : letter.start()]
    after = letter.string[letter.end() : letter.end() + 1]
    latin = _TRANSCRIBED[letter[0].lower()]
    if after.isupper() or (before.isupper() and not after.islower()):
        return latin.upper()
    return latin.capitalize()
