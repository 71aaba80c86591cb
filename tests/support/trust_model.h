/* The rules of membership (docs/DATA_MODEL.md, M-4 to M-15) once more, to compare
 * core/trust.h with: slow, small and written from the text alone. A set of
 * statements is the bits of a word, every question goes through all of them. */
#ifndef HT_TESTS_SUPPORT_TRUST_MODEL_H
#define HT_TESTS_SUPPORT_TRUST_MODEL_H

#include "core/trust.h"

enum { MODEL_MAX = 63 }; /* the bit after the last is one that has seen all */

struct trust_model {
	const struct statement *list[MODEL_MAX]; /* borrowed */
	size_t count;
	uint64_t past[MODEL_MAX + 1]; /* by place in the list, as bits of such places */
	uint64_t stands, fallen, is_root;
	uint32_t epochs_max; /* EPOCHS_MAX; read when cuts are asked for */
	size_t circles;      /* how often nothing but circles was left (M-11) */
	enum verdict verdicts[MODEL_MAX];
	struct trust_node nodes[MODEL_MAX];
	size_t node_count;
	uint32_t stray_weight;
	struct trust_epoch epochs[MODEL_MAX];
	size_t epoch_count;
	struct trust_grant grants[MODEL_MAX * 4];
	size_t grant_count;
};

/* The GENESIS is list[0]; parents may come after their children. Nothing is
 * sorted: the arrays are in the order of the list. */
void trust_model_fold(struct trust_model *m, const struct statement *const *list, size_t count);

const struct roots *trust_model_roots(const struct trust_model *m);
struct trust_cut trust_model_cut(const struct trust_model *m, const struct replica_id *replica,
				 const struct space_id *space);

/* True, or else what differs, and all statements, are on stderr: `t` and `verdicts`
 * are those of trust_fold() for the same list. */
bool trust_model_agrees(const struct trust_model *m, const struct trust *t,
			const uint8_t *verdicts);

/* On stderr, one line a statement: what it says, who has seen whom, both verdicts. */
void trust_model_print(const struct trust_model *m, const uint8_t *verdicts);

#endif
