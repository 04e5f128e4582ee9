#!/usr/bin/env python3
"""Makes text_keywords.inc: all keywords of the text format, by their words, sorted by text.

usage: keywords.py OUTPUT OPCODES_DEF WORDS_DEF

Instructions come from opcodes.def, the rest from text_words.def. The first of two rows with the same
text wins (select); texts with a blank are no keywords but forms that the parser knows ("ref.test null").
"""
import re
import sys

ROW = re.compile(r'^(OP|WORD)\((\w+),.*?"([^"]*)"')


def main(output, *sources):
    keywords = {}
    for source in sources:
        with open(source, encoding="utf-8") as lines:
            for line in lines:
                row = ROW.match(line)
                if row and " " not in row[3]:
                    keywords.setdefault(row[3], f"{row[1]}_{row[2]}")
    with open(output, "w", encoding="utf-8") as out:
        for text in sorted(keywords):
            out.write(f"{keywords[text]},\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
