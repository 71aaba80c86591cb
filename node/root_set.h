/* Several root keys at once: drawn, shown once as recovery words, and typed in again.
 * Wipe it: it holds secrets. */
#ifndef HT_NODE_ROOT_SET_H
#define HT_NODE_ROOT_SET_H

#include <jansson.h>

#include "core/trust.h"
#include "node/args.h"
#include "node/root_secret.h"

struct root_set {
	struct root_secret secrets[ROOTS_MAX];
	struct root_key keys[ROOTS_MAX];
	struct sign_key public_keys[ROOTS_MAX]; /* ascending, as `keys` */
	size_t count;
	unsigned threshold;
};

/* So many and the threshold as --roots and --threshold say; else 1 and, of several, all
 * but one. ERR_INVALID. */
MUST_CHECK enum err root_set_draw(struct root_set *out, const struct args *args,
				  const struct dice *dice, struct errmsg *msg);
void root_set_wipe(struct root_set *set);

/* As a statement has them; borrowed from the set. */
struct roots root_set_public(const struct root_set *set);

/* For signing: out[ROOTS_MAX], borrowed from the set. */
void root_set_signers(const struct root_set *set, struct signer *out);

/* Print the words, with what to do about them. */
void root_set_print(const struct root_set *set);
/* {"threshold", "keys": [{"key", "words"}]} */
json_t *root_set_json(const struct root_set *set);

/* Ask for words, a list after another, until as many as the threshold of `trust` fit
 * its root keys. ERR_FORMAT names the slip when there is no terminal to ask again;
 * ERR_INVALID for words of another organisation's keys, or twice the same. */
MUST_CHECK enum err root_set_ask(struct root_set *out, const struct trust *trust,
				 struct errmsg *msg);

#endif
