/* The store's life and its transactions. */
#include "core/store_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum err open_store(struct store **out, const char *path, const char *vfs, bool create,
			   bool read_only, bool is_damaged, struct errmsg *msg)
{
	struct store *s = calloc(1, sizeof(*s));
	size_t kind_count;
	enum err rc = ERR_NOMEM;

	schema_kinds(&kind_count);
	if (!s)
		return ERR_NOMEM;
	s->read_only = read_only;
	s->is_damaged = is_damaged;
	s->path = strdup(path);
	s->vfs = vfs ? strdup(vfs) : NULL;
	s->kinds = calloc(kind_count, sizeof(*s->kinds));
	if (!s->path || (vfs && !s->vfs) || !s->kinds)
		goto out;
	rc = store_connect(s, create, msg);
	if (rc == OK)
		rc = store_migrate(s, create, msg);
	if (rc == OK)
		rc = store_load_replicas(s, msg);
	if (rc != OK)
		goto out;
	*out = s;
	return OK;
out:
	store_close(s);
	return rc;
}

enum err store_open(struct store **out, const char *path, const char *vfs, bool create,
		    bool read_only, struct errmsg *msg)
{
	return open_store(out, path, vfs, create, read_only, false, msg);
}

enum err store_open_damaged(struct store **out, const char *path, const char *vfs,
			    struct errmsg *msg)
{
	return open_store(out, path, vfs, false, true, true, msg);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_forget_texts(s);
	store_forget_queries(s);
	store_leave(s);
	sqlite3_close(s->db);
	intern_release(&s->replicas);
	buf_release(&s->scratch);
	pack_release(&s->pack);
	arena_release(&s->head);
	free(s->kinds);
	free(s->path);
	free(s->vfs);
	free(s);
}

/* No way in without the way out: a rollback must not need memory. Prepared anew,
 * for a change of the schema outdates what was prepared before. Who changes the
 * schema can end the transaction for sure only by closing. */
static enum err begin(struct store *s, enum query which, const char *what, struct errmsg *msg)
{
	enum err rc;

	sqlite3_finalize(s->queries[QUERY_ROLLBACK]);
	s->queries[QUERY_ROLLBACK] = NULL;
	store_query(s, QUERY_ROLLBACK, &rc, msg);
	return rc == OK ? store_run_query(s, which, what, msg) : rc;
}

enum err store_begin(struct store *s, struct errmsg *msg)
{
	enum err rc = store_ready(s, msg);

	return rc == OK ? begin(s, QUERY_BEGIN, "begin", msg) : rc;
}

enum err store_begin_read(struct store *s, struct errmsg *msg)
{
	return begin(s, QUERY_BEGIN_READ, "begin to read", msg);
}

enum err store_commit(struct store *s, struct errmsg *msg)
{
	enum err rc = store_reread_now(s, msg);

	return rc == OK ? store_run_query(s, QUERY_COMMIT, "commit", msg) : rc;
}

void store_rollback(struct store *s)
{
	store_forget_texts(s);
	s->reread_count = 0;
	/* SQLite may have rolled back by itself already: then this is an error
	 * of no consequence. */
	if (store_in_transaction(s) && store_run_query(s, QUERY_ROLLBACK, "rollback", NULL) != OK)
		assert(!store_in_transaction(s));
}

bool store_in_transaction(const struct store *s)
{
	return !sqlite3_get_autocommit(s->db);
}

enum err store_data_version(struct store *s, uint64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_DATA_VERSION, &rc, msg);
	int64_t version = 0;

	if (rc == OK)
		rc = store_step_int(s, stmt, "data_version", &version, msg);
	/* SQLite counts for each connection anew. */
	if (rc == OK)
		*out = (uint64_t)s->openings << 32 | (uint64_t)version;
	return rc;
}
