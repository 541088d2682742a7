"""Reads the code cells of a notebook and chooses what of them makes a program, as crunch-convert does.

Imports, functions and classes are kept. Everything else at the top of a cell is commented out, unless a comment
`# @crunch/keep:on` stands before it; `:off` goes back, and `:none` comments out imports and functions as well.

Usage: python -I -S read_notebook.py NOTEBOOK ANSWER. ANSWER is a JSON object:
- lines: the program
- imports: {cell, line, module, isStandard, comment} for each module of each import that is kept
- commands: {cell, line, text} for each command to the notebook itself, such as `!pip install pandas`
- warnings: sentences for the author
- error: {cell, line, message} of the first cell that is not Python, and nothing else

Cells and lines count from 1. The code of the notebook is parsed, never run.
"""

import ast
import io
import json
import re
import sys
import tokenize

FOREIGN_CELL = re.compile(r"\s*%%(bash|sh|script|system|cmd|html|javascript|js|latex|markdown|svg|perl|ruby|R|sql)\b")
# The shell, magic words, `pip` without either, their results (`files = !ls`), and help (`pd.read_csv?`).
COMMAND = re.compile(r"!|%|pip3? |[\w, .]+=\s*[!%]|\?|[\w.]+\?")
KEEP_MODES = {"@crunch/keep:on": "everything", "@crunch/keep:off": "necessary", "@crunch/keep:none": "nothing"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPOUND = (*DEFINITIONS, ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
IMPORTS = (ast.Import, ast.ImportFrom)
# A longer comment names no version. Each module of an import carries it, so the answer would take gigabytes.
MAX_COMMENT = 1_000
# The orchestrator splits each command into words.
MAX_COMMAND = 10_000
# Cells are parsed again after each command.
MAX_COMMANDS = 1_000
MAX_WARNINGS = 100


class Refusal(Exception):
    """A cell that is Python but is not taken. `line` is an index from 0."""

    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


class Cell:
    """A cell's lines, of which some get commented out, and what its Python says. Lines are indices from 0."""

    def __init__(self, number, source):
        self.number = number
        self.commands = []
        text = "\n".join(line.removesuffix("\n") for line in source) if isinstance(source, list) else source
        self.lines = text.replace("\r", "").split("\n")
        if FOREIGN_CELL.match(self.lines[0]):
            self.lines = ["#" + line for line in self.lines]
        self.tree = self._parse()
        self.original = list(self.lines)
        self._read_tokens()

    def _parse(self):
        """Comments out commands to the notebook until the rest is Python. Commands inside strings give no error."""
        while True:
            try:
                return ast.parse("\n".join(self.lines))
            except SyntaxError as error:
                line = (error.lineno or 1) - 1
                if line >= len(self.lines) or not COMMAND.match(self.lines[line].lstrip()):
                    raise
                self._comment_out_command(line)

    def _comment_out_command(self, first):
        """A backslash carries a command to the next line. In a block a statement must stay: it may have no other."""
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
        # In order: (line, width of the indent) where an outermost block begins, (line, None) where an outermost line ends.
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
                groups[-1] = ([*nodes, node], begin, last)
            else:
                groups.append(([node], first, last))
        ends = [first for _, first, _ in groups[1:]] + [len(self.lines)]
        return [(nodes, first, self._block_end(first, last, end)) for (nodes, first, last), end in zip(groups, ends)]

    def _block_end(self, first, last, end):
        """Comments as deep as the last block of a statement belong to it, others to what follows."""
        widths = [width for line, width in self._blocks if first <= line <= last]
        if not widths or widths[-1] is None:
            return last
        for line in range(end - 1, last, -1):
            text = self.lines[line]
            if text.strip() and indent_of(text) >= widths[-1]:
                return line
        return last

    def column_of(self, node):
        """`ast` counts bytes of UTF-8."""
        return len(self.original[node.lineno - 1].encode()[: node.col_offset].decode())

    def comment_out(self, first, last):
        for line in range(first, last + 1):
            self.lines[line] = "#" + self.lines[line]


class Notebook:
    def __init__(self):
        self.lines, self.imports, self.commands, self.warnings = [], [], [], []
        # Names whose values are commented out, in order, and for each statement that is kept: its place and what it reads.
        self._dropped = {}
        self._readers = []

    def add(self, cell):
        self._keep_necessary(cell)
        self.commands += cell.commands
        filled = [line for line, text in enumerate(cell.lines) if text != ""]
        if not filled:
            return
        if self.lines:
            self.lines += ["", ""]
        self.lines += cell.lines[filled[0] : filled[-1] + 1]

    def _keep_necessary(self, cell):
        statements = cell.statements()
        mode = "necessary"
        free = 0
        for index, (nodes, first, last) in enumerate(statements):
            leading = range(free, first)
            free = last + 1
            is_compound = isinstance(nodes[0], COMPOUND)
            # Comments before a compound statement belong to it, except at the top of the cell.
            if index == 0 or not is_compound:
                mode = followed(mode, cell, leading)
            if is_compound:
                self._add_compound(cell, nodes[0], first, last, mode)
            elif mode == "nothing":
                cell.comment_out(first if index == 0 else min([first, *leading]), last)
            else:
                self._add_simple(cell, nodes, last, mode)

    def _add_compound(self, cell, node, first, last, mode):
        nested = sum(isinstance(one, IMPORTS) for one in ast.walk(node))
        if nested > 0:
            self.warnings.append(
                f"cell {cell.number} line {first + 1}: {nested} imports inside this statement are no requirements; "
                "move them to the top of the cell"
            )
        is_definition = isinstance(node, DEFINITIONS)
        if mode == "everything" or (mode == "necessary" and is_definition):
            self._readers.append((cell.number, first + 1, names(node, ast.Load) - names(node, ast.Store) - arguments(node)))
        else:
            cell.comment_out(first, last)
        if not is_definition:
            self._note_names(node, mode)

    def _add_simple(self, cell, nodes, last, mode):
        for node in nodes:
            if isinstance(node, IMPORTS):
                comment = cell.comments.get(last, "") if node is nodes[-1] else ""
                comment = comment if 0 < len(comment) <= MAX_COMMENT else None
                place = {"cell": cell.number, "line": node.lineno, "comment": comment}
                self.imports += [{**place, **module} for module in modules(node)]
            self._note_names(node, mode)
        if mode == "everything":
            return
        # From the right to the left, so that columns stay right.
        for index, node in reversed(list(enumerate(nodes))):
            if isinstance(node, IMPORTS) or is_r_import(node):
                continue
            line = node.lineno - 1
            column = cell.column_of(node)
            end = nodes[index + 1].lineno - 1 if index + 1 < len(nodes) else last
            cell.comment_out(line + 1, end)
            cell.lines[line] = f"{cell.lines[line][:column]}#{cell.lines[line][column:]}"

    def _note_names(self, node, mode):
        for name in sorted(names(node, ast.Store)):
            if mode == "everything":
                self._dropped.pop(name, None)
            else:
                self._dropped[name] = True

    def answer(self):
        """A constant that is gone is the surprise of this format."""
        missing = [
            f'cell {cell}: the statement at line {line} uses "{name}", which is commented out; '
            'put "# @crunch/keep:on" before the statement that sets it'
            for cell, line, read in self._readers
            for name in sorted(read & self._dropped.keys())
        ]
        warnings = self.warnings + missing
        if len(warnings) > MAX_WARNINGS:
            warnings = [*warnings[:MAX_WARNINGS], f"{len(warnings) - MAX_WARNINGS} more warnings of this kind"]
        return {
            "lines": self.lines,
            "imports": self.imports,
            "commands": self.commands,
            "warnings": warnings,
        }


def followed(mode, cell, lines):
    """The mode after the comments on these lines."""
    for line in lines:
        mode = KEEP_MODES.get(cell.original[line].strip(" \t#"), mode)
    return mode


def modules(node):
    paths = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    if getattr(node, "level", 0) > 0:
        return []
    names = dict.fromkeys(path.split(".")[0] for path in paths)
    return [{"module": name, "isStandard": name.startswith("_") or name in sys.stdlib_module_names} for name in names]


def is_r_import(node):
    """Imports of R packages are assignments: `stats = importr("stats")`."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "importr"


def names(node, context):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, context)}


def arguments(node):
    return {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}


def indent_of(text):
    return len(text) - len(text.lstrip())


def read_notebook(path):
    with open(path, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    notebook = Notebook()
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        try:
            notebook.add(Cell(index + 1, cell["source"]))
        except SyntaxError as error:
            line = error.lineno or 1
            return {"error": {"cell": index + 1, "line": line, "message": error.msg or "invalid syntax"}}
        except tokenize.TokenError as error:
            message, (line, _) = error.args
            return {"error": {"cell": index + 1, "line": line, "message": message}}
        except Refusal as error:
            return {"error": {"cell": index + 1, "line": error.line + 1, "message": str(error)}}
        except ValueError as error:
            return {"error": {"cell": index + 1, "line": 1, "message": str(error)}}
    return notebook.answer()


if __name__ == "__main__":
    answer = read_notebook(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)
