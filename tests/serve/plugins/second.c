/* What hello.wasm is replaced by. */
#include <stdio.h>

int main(void) {
    printf("Status: 201 Made\r\nContent-Type: text/plain\r\n\r\nsecond\n");
    return 0;
}
