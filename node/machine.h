/* What tells this machine and this database file from a copy of them (M-18): the
 * machine's id (machine-id(5)) and the file's inode. Neither is a secret, and
 * neither leaves the machine. */
#ifndef HT_NODE_MACHINE_H
#define HT_NODE_MACHINE_H

#include "core/err.h"

enum { MACHINE_TEXT_MAX = 128 };

#define MACHINE_ID_FILE "/etc/machine-id"

/* "4c4c4544...:1234567"; without a machine id only the inode. ERR_IO and the like when
 * there is no such database. */
MUST_CHECK enum err machine_read(char out[MACHINE_TEXT_MAX], const char *machine_id_file,
				 const char *database, struct errmsg *msg);

#endif
