/* New keys for this node, in three steps of which a crash may come between any two:
 *
 *     identity.new is written -> the replica begins an epoch with it -> it is renamed
 *
 * The key of the replica's current epoch is in one of the two files at any time. */
#ifndef HT_NODE_ROTATION_H
#define HT_NODE_ROTATION_H

#include "node/context.h"

/* Before the key is loaded: finish the last step if the second one was done. A key that
 * is not the current epoch's is left alone: another process may be at work. */
MUST_CHECK enum err rotation_settle(struct context *ctx, struct errmsg *msg);

/* Draw keys and go through all steps; the context has the new ones then. The lock of
 * the folder is held, the replica open for editing. */
MUST_CHECK enum err rotation_run(struct context *ctx, struct errmsg *msg);

#endif
