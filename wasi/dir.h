/*
 * dir.h - a directory being read; kept with its descriptor between calls of fd_readdir.
 */
#ifndef WR_WASI_DIR_H
#define WR_WASI_DIR_H

typedef struct Listing Listing;

void wr_listing_free(Listing *listing); /* may be NULL */

#endif
