"""A Pygments lexer for specs: colours in Sphinx, in notebooks and wherever else Pygments paints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, default, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

from cnnspec.layers import LAYERS
from cnnspec.layers.combine import COMBINATORS
from cnnspec.network.functions import FUNCTIONS
from cnnspec.syntax.lexer import RESERVED_WORDS

_groups: Callable[..., Any] = bygroups
"""Typed, which Pygments' own is not."""

DEFINING = ("model", "block")
STATEMENTS = ("input", "train", "use", "let", "repeat", "for", "in", "if", "else", "assert")
LOGIC = ("and", "or", "not")
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
BLANK = r"[ \t\r\f]"


class SpecLexer(RegexLexer):
    """Reads any text; what is no part of the language is plain text, as specs in the making are."""

    name = "cnnspec"
    aliases: ClassVar[list[str]] = ["cnn", "cnnspec"]
    filenames: ClassVar[list[str]] = ["*.cnn"]
    mimetypes: ClassVar[list[str]] = ["text/x-cnnspec"]
    url = ""
    version_added = ""

    tokens: ClassVar = {
        "root": [
            (r"#[^\n]*", Comment.Single),
            (r"\s+", Whitespace),
            (rf"({'|'.join(DEFINING)})({BLANK}+)({NAME})", _groups(Keyword.Declaration, Whitespace, Name.Class)),
            (rf"(let)({BLANK}+)({NAME})", _groups(Keyword.Declaration, Whitespace, Name.Variable)),
            (rf"({NAME})({BLANK}*)(:)", _groups(Name.Label, Whitespace, Punctuation)),
            (rf"({NAME})({BLANK}*)(=)(?!=)", _groups(Name.Attribute, Whitespace, Operator)),
            (rf"(x)(\.)({NAME})", _groups(Name.Builtin.Pseudo, Punctuation, Name.Attribute)),
            (r'"', String.Double, "text"),
            (r"(?:[0-9]+|\?)(?:x(?:[0-9]+|\?|[A-Z][A-Za-wyz0-9_]*))+", Number.Integer),
            (r"[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+", Number.Float),
            (r"[0-9][0-9_]*", Number.Integer),
            (words(STATEMENTS, prefix=r"\b", suffix=r"\b"), Keyword),
            (words(LOGIC, prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(("true", "false"), prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(tuple(sorted(RESERVED_WORDS)), prefix=r"\b", suffix=r"\b"), Keyword.Reserved),
            (words(tuple(COMBINATORS), prefix=r"\b", suffix=r"\b"), Keyword),
            (words((*LAYERS, *FUNCTIONS), prefix=r"\b", suffix=r"\b"), Name.Builtin),
            (r"[A-Z][A-Za-z0-9_]*", Name.Class),
            (NAME, Name),
            (r"->|==|!=|<=|>=|//|[-+*/%<>=?]", Operator),
            (r"[{}()\[\],.:|]", Punctuation),
            (r".", Text),
        ],
        "text": [
            (r"\{[^{}\"\n]*\}", String.Interpol),
            (r'[^"{\n]+|\{', String.Double),
            (r'"', String.Double, "#pop"),
            default("#pop"),
        ],
    }
