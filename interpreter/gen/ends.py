"""In which cache states handlers end: what stands behind an instruction when ids are chosen.

For handlers written by hand this is read off their text: every NEXT(state) in them, macros expanded.
"""
import os
import re

MACRO = re.compile(r"^#define (\w+)(?:\(([^)]*)\))?((?:.*\\\n)*.*)", re.M)


def arguments(text, start):
    """The arguments of a call whose parenthesis opens at `start`, and where it ends."""
    depth, current, found = 0, "", []
    for i in range(start, len(text)):
        char = text[i]
        if char == "(":
            depth += 1
            if depth == 1:
                continue
        if char == ")":
            depth -= 1
            if depth == 0:
                return found + [current.strip()], i + 1
        if char == "," and depth == 1:
            found.append(current.strip())
            current = ""
        else:
            current += char
    raise ValueError("unbalanced: " + text[start:start + 40])


class Ends:
    def __init__(self, directory):
        self.macros, self.texts = {}, {}
        for name in sorted(os.listdir(directory)):
            if not re.match(r"(handlers_\w+|machine)\.h$", name):
                continue
            text = open(os.path.join(directory, name), encoding="utf-8").read()
            for match in MACRO.finditer(text):
                params = [p.strip() for p in (match[2] or "").split(",") if p.strip()]
                if match[1] != "NEXT":
                    self.macros.setdefault(match[1], []).append((params, match[3].replace("\\\n", "\n")))
            for match in re.finditer(r"^(?:COLD_|JUMP_)?HANDLER(?:_AS)?\(([^)]*)\) \{", text, re.M):
                key = tuple(p.strip() for p in match[1].split(","))
                end = text.index("\n}", match.end()) if text[match.end()] == "\n" else text.index("}", match.end())
                self.texts[key] = text[match.end():end + 1]

    def states(self, text, depth=0):
        """The states named by NEXT(...) in the text or in what its macros make of it."""
        found = set()
        assert depth < 20, text
        for match in re.finditer(r"\b(\w+)\b", text):
            name = match[1]
            behind = text[match.end():match.end() + 1]
            if name == "NEXT" and behind == "(":
                found.add(arguments(text, match.end())[0][0])
            elif name in self.macros and name != "HANDLER":
                values = arguments(text, match.end())[0] if behind == "(" else []
                for params, body in self.macros[name]:
                    for param, value in zip(params, values):
                        body = re.sub(r"##%s\b|\b%s\b" % (param, param),
                                      lambda m, v=value: v, body)
                    found |= self.states(body, depth + 1)
        return found

    def of(self, *key):
        found = {s for s in self.states(self.texts[key]) if s in "EIFV"}
        if found == {"I", "V"}:
            return "T"  # by the type of what is pushed
        assert len(found) == 1, (key, found)
        return found.pop()
