"""Reads the cells of a notebook: finds Python code, files, and commands to the notebook."""

import ast
import bisect
import io
import json
import posixpath
import re
import shlex
import tokenize

# Cell magics whose cell is Python and runs in the notebook. A cell with any other magic is left out.
PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "memit", "snakeviz", "pyinstrument", "scalene", "wandb", "notify"}
FILE_MAGICS = {"writefile", "file"}
# Databricks and Zeppelin declare the language of a cell with a single percent sign.
LANGUAGE_LINE = re.compile(r"%(?:(?:sql|scala|r|sh|fs|html|bash)\s*$|(?:md|scala)\b)", re.IGNORECASE)
PYTHON = re.compile(r"i?py(thon)?[\d.]*", re.IGNORECASE)
# Shell commands, magics, bare installers, assigned results (`files = !ls`), and help (`pd.read_csv?`).
COMMAND = re.compile(r"!|%|(?:pip3?|uv|conda|mamba) |[\w, .]+=\s*[!%]|\?|[\w.]+\?")
# Limits the work of the orchestrator, which splits each command into words.
MAX_COMMAND = 10_000
# Each command is logged, and costs another parse of its cell.
MAX_COMMANDS = 1_000
MAX_CELLS = 2_000


class Refusal(Exception):
    """A notebook that cannot be converted. `line` counts from 0."""

    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


class Cell:
    """The lines of a cell, its syntax tree and its comments. Lines count from 0."""

    def __init__(self, number, lines, language):
        self.number = number
        self.commands, self.warnings = [], []
        # The file that a cell magic writes: (path, text, how).
        self.file = None
        self.lines = lines
        if language is not None and not PYTHON.fullmatch(language):
            self._leave_out(f"it is written in {language}")
        else:
            self._read_magics()
        self.tree = self._parse()
        self.original = list(self.lines)
        self._read_tokens()

    def _read_magics(self):
        for at, line in enumerate(self.lines):
            text = line.strip()
            if text == "" or text.startswith("#"):
                continue
            word, rest = re.match(r"(?:%%)?(\S*)\s*(.*)", text).groups()
            if LANGUAGE_LINE.match(text):
                self._leave_out(f'its first line "{text[:40]}" names another language')
            elif not text.startswith("%%"):
                return
            elif word in FILE_MAGICS:
                self._write_file(at, word, rest)
            elif word not in PYTHON_MAGICS:
                self._leave_out(f'the cell magic "%%{word[:40]}" does not run Python')
            else:
                self.lines[at] = "#" + line
                continue
            return

    def _leave_out(self, why):
        self.warnings.append(f"cell {self.number}: left out, because {why}")
        self.lines = ["#" + line for line in self.lines]

    def _write_file(self, at, magic, rest):
        try:
            words = shlex.split(rest)
        except ValueError as error:
            raise Refusal(at, f"%%{magic} cannot be read: {error}") from error
        names = [word for word in words if word not in ("-a", "--append")]
        if len(names) != 1 or names[0].startswith("-"):
            raise Refusal(at, f"%%{magic} needs the name of one file, with -a before it to append")
        if any(sign in names[0] for sign in "{}$"):
            raise Refusal(at, f"%%{magic} {names[0]}: the name is known only when the notebook runs; write it out")
        text = "\n".join(self.lines[at + 1 :])
        text += "" if text.endswith("\n") or text == "" else "\n"
        self.file = (posixpath.normpath(names[0]), text, "append" if len(names) < len(words) else "replace")
        self.lines = ["#" + self.lines[at]]

    def _parse(self):
        """Comments out commands to the notebook until the rest parses. Text inside strings causes no error, so it stays."""
        while True:
            try:
                return ast.parse("\n".join(self.lines))
            except SyntaxError as error:
                line = (error.lineno or 1) - 1
                if line >= len(self.lines) or not COMMAND.match(self.lines[line].lstrip()):
                    raise
                self._comment_out_command(line)

    def _comment_out_command(self, first):
        """Comments out a command with its continued lines. An indented one becomes `pass`, since its block may contain nothing else."""
        words = []
        for line in range(first, len(self.lines)):
            text = self.lines[line]
            words.append(text.strip().removesuffix("\\"))
            indent = text[: indent_of(text)] if line == first else ""
            self.lines[line] = f"{indent}pass  #{text.lstrip()}" if indent else f"#{text}"
            if not text.rstrip().endswith("\\"):
                break
        text = " ".join(words)
        if len(text) > MAX_COMMAND:
            raise Refusal(first, f"the command has more than {MAX_COMMAND} characters; write a shorter one")
        self.commands.append({"cell": self.number, "line": first + 1, "text": text})
        if len(self.commands) > MAX_COMMANDS:
            raise Refusal(first, f"the cell has more than {MAX_COMMANDS} commands; write fewer")

    def _read_tokens(self):
        self.comments = {}
        # In order: (line, width of the indent) where a top-level block begins, (line, None) where a top-level line ends.
        self._blocks = []
        depth = 0
        for token in tokenize.generate_tokens(io.StringIO("\n".join(self.lines)).readline):
            line = token.start[0] - 1
            if token.type == tokenize.COMMENT:
                self.comments[line] = token.string
            elif token.type == tokenize.INDENT:
                depth += 1
                if depth == 1:
                    self._blocks.append((line, len(token.string)))
            elif token.type == tokenize.DEDENT:
                depth -= 1
            elif token.type == tokenize.NEWLINE and depth == 0:
                self._blocks.append((line, None))

    def statements(self):
        """Groups of nodes with their first and last line. Simple statements that share a line are one group."""
        groups = []
        for node in self.tree.body:
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(one.lineno for one in decorators)]) - 1
            last = node.end_lineno - 1
            if groups and groups[-1][2] == first:
                nodes, begin, _ = groups[-1]
                nodes.append(node)
                groups[-1] = (nodes, begin, last)
            else:
                groups.append(([node], first, last))
        ends = [first for _, first, _ in groups[1:]] + [len(self.lines)]
        return [(nodes, first, self._block_end(first, last, end)) for (nodes, first, last), end in zip(groups, ends)]

    def _block_end(self, first, last, end):
        """Comments indented like the last block of a statement belong to it; other comments belong to the next statement."""
        at = bisect.bisect_right(self._blocks, last, key=lambda block: block[0]) - 1
        line, width = self._blocks[at] if at >= 0 else (-1, None)
        if line < first or width is None:
            return last
        for line in range(end - 1, last, -1):
            text = self.lines[line]
            if text.strip() and indent_of(text) >= width:
                return line
        return last

    def column_of(self, node):
        """Converts the column of a node, which `ast` counts in bytes of UTF-8, to characters."""
        return len(self.original[node.lineno - 1].encode()[: node.col_offset].decode())

    def comment_out(self, first, last):
        for line in range(first, last + 1):
            self.lines[line] = "#" + self.lines[line]


def indent_of(text):
    return len(text) - len(text.lstrip())


def comments_of(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0] - 1: token.string for token in tokens if token.type == tokenize.COMMENT}


def read_file_cell(lines):
    """(path, text) of a text cell that begins with `---`, `file: path`, `---`; None for any other text."""
    if lines[0].strip() != "---" or "---" not in lines[1:]:
        return None
    end = lines.index("---", 1)
    head = [re.match(r"([\w-]+)\s*:(?:\s+(.*))?$", line) for line in lines[1:end]]
    # A title between two rules is not the head of a file.
    if not head or None in head:
        return None
    settings = {one[1]: (one[2] or "").split(" #")[0].strip().strip("\"'") for one in head}
    if settings.get("file", "") == "":
        raise Refusal(0, 'the head of a file cell names no "file"')
    return settings["file"].replace("\\", "/"), "\n".join(lines[end + 1 :]).strip()


def dictionary(value):
    return value if isinstance(value, dict) else {}


def cells_of(notebook):
    """Format 4 contains cells; older formats contain worksheets with cells."""
    if not isinstance(notebook, dict):
        raise Refusal(0, "it is not a JSON object")
    version = notebook.get("nbformat", 4)
    if version not in (2, 3, 4):
        raise Refusal(0, f"its format {version!r:.40} is unknown; open it in Jupyter and save it as format 4")
    metadata = dictionary(notebook.get("metadata"))
    kernel, info = dictionary(metadata.get("kernelspec")), dictionary(metadata.get("language_info"))
    language = kernel.get("language") or info.get("name") or "python"
    if not isinstance(language, str) or not PYTHON.fullmatch(language):
        raise Refusal(0, f"it is written in {language!s:.40}; models are written in Python")
    sheets = notebook.get("worksheets")
    if "cells" not in notebook and isinstance(sheets, list):
        cells = [cell for sheet in sheets for cell in dictionary(sheet).get("cells") or []]
    else:
        cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise Refusal(0, 'it has no "cells"; save it again from Jupyter')
    if len(cells) > MAX_CELLS:
        raise Refusal(0, f"it has {len(cells)} cells, more than {MAX_CELLS}")
    return cells


def lines_of(cell):
    source = cell.get("source", cell.get("input"))
    parts = source if isinstance(source, list) else [source or ""]
    if not all(isinstance(part, str) for part in parts):
        raise Refusal(0, "its source is not text")
    text = "\n".join(part.removesuffix("\n") for part in parts) if isinstance(source, list) else parts[0]
    return text.removeprefix("\ufeff").replace("\r", "").split("\n")


def language_of(cell):
    """The language that an editor declares for a single cell; None if it declares none."""
    metadata = dictionary(cell.get("metadata"))
    named = [
        dictionary(metadata.get("vscode")).get("languageId"),
        dictionary(metadata.get("dotnet_interactive")).get("language"),
        dictionary(metadata.get("polyglot_notebook")).get("kernelName"),
        metadata.get("language"),
        cell.get("language"),
    ]
    return next((one for one in named if isinstance(one, str) and one), None)


def read_cells(path):
    with open(path, "rb") as file:
        content = file.read()
    try:
        # Python accepts NaN, byte order marks and UTF-16. Numbers do not matter, and parsing long integers is slow, so they become floats.
        return cells_of(json.loads(content, parse_int=float))
    except (ValueError, RecursionError) as error:
        raise Refusal(0, f"it is not JSON ({error}); save it again from Jupyter") from error
