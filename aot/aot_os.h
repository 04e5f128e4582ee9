/* aot_os.h - what the cache needs of files: aot's seam to the system. Paths are zero-terminated. */
#ifndef WR_AOT_AOT_OS_H
#define WR_AOT_AOT_OS_H

#include "base.h"

typedef enum AotOwner { OWNED, OWNED_BY_NONE, OWNED_BY_OTHERS } AotOwner;
/* Whether the file or folder (no symbolic link) is this user's and nobody else may write to it. NONE: not there. */
AotOwner wr_aot_owner(const char *path, bool is_folder);
/* Makes a folder, and those above it, for this user alone. Errno text, or NULL. */
const char *wr_aot_make_folder(const char *path);
/* Writes a new file beside `path` and renames it: readers see all of it or nothing. Errno text, or NULL. */
const char *wr_aot_write_file(const char *path, const u8 *bytes, size_t size);
/* Makes an empty file, which tells others that this process does something; false if it is there. */
bool wr_aot_claim(const char *path);
void wr_aot_touch(const char *path); /* it was used now */
/* When it was last written or touched, in seconds since 1970; INT64_MAX if it is not there. */
i64 wr_aot_changed(const char *path);
bool wr_aot_remove(const char *path);
/* Adds text to this process's map for profilers. Errno text, or NULL. */
const char *wr_aot_append_perf_map(const char *text, size_t size);
/* Regular files in a folder. */
typedef void AotFileVisitor(void *context, const char *name, u64 size, i64 used);
bool wr_aot_each_file(const char *folder, AotFileVisitor *visit, void *context);
i64 wr_aot_time(void); /* seconds since 1970 */

#endif
