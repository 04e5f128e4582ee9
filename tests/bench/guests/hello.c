/* hello.c - not a benchmark: what start-up is measured with (counts.txt, startup.py). */
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
