/* What the system refuses, in the words of core/err.h. */
#ifndef HT_NODE_SYS_ERROR_H
#define HT_NODE_SYS_ERROR_H

#include "core/err.h"

/* The error of the system call that just failed on `what`, a path. */
enum err sys_error(const char *what, struct errmsg *msg);

/* An allocation failed. */
enum err no_memory(struct errmsg *msg);

#endif
