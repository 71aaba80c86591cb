#include "core/statement.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/i18n.h"
#include "core/limits.h"
#include "core/statement_format.h"

enum { CONTENT_VERSION = 1, CONTENT_HEAD = 5 };

/* As far as the stamps of changesets go: 48 bits. */
#define STATEMENT_WALL_MS_MAX (UINT64_MAX >> 16)

/* ---- Names ---------------------------------------------------------------- */

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_NONE] = N_("none"),
	[ROLE_READER] = N_("reader"),
	[ROLE_EDITOR] = N_("editor"),
	[ROLE_MANAGER] = N_("manager"),
};

const char *role_name(enum role role)
{
	return role < ROLE_COUNT ? role_names[role] : "unknown";
}

enum role role_named(const char *name)
{
	enum role role = ROLE_NONE;

	while (role < ROLE_COUNT && strcmp(role_names[role], name) != 0)
		role++;
	return role;
}

const char *statement_type_name(enum statement_type type)
{
	const struct statement_format *format = statement_format(type);

	return format ? format->name : "unknown";
}

bool office_code_is_valid(const char *code)
{
	size_t size = strlen(code);

	return size >= 2 && size <= OFFICE_CODE_MAX &&
	       strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == size;
}

/* ---- Ids ------------------------------------------------------------------ */

/* BLAKE2b-256 over a domain and what belongs to it. */
static void hash_two(uint8_t out[32], const char *domain, struct bytes a, struct bytes b)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain));
	crypto_generichash_update(&state, a.data, a.size);
	crypto_generichash_update(&state, b.data, b.size);
	crypto_generichash_final(&state, out, 32);
}

struct replica_id epoch_replica(const uint8_t sign_key[SIGN_PUBLIC_BYTES],
				const uint8_t nonce[ID_BYTES])
{
	struct replica_id id;
	uint8_t hash[32];

	hash_two(hash, "huitong-epoch-1", bytes_of(sign_key, SIGN_PUBLIC_BYTES),
		 bytes_of(nonce, ID_BYTES));
	memcpy(id.bytes, hash, ID_BYTES);
	return id;
}

struct record_id office_record(const uint8_t org[ORG_ID_BYTES], const char *code)
{
	struct record_id id;
	uint8_t hash[32];

	hash_two(hash, "huitong-office-1", bytes_of(org, ORG_ID_BYTES), bytes_of_str(code));
	memcpy(id.bytes, hash, ID_BYTES);
	id.bytes[6] = 0x80 | (id.bytes[6] & 0x0f); /* version 8 */
	id.bytes[8] = 0x80 | (id.bytes[8] & 0x3f); /* variant 10 */
	return id;
}

uint32_t statement_weight(const struct statement *s)
{
	enum { PARENT_BYTES = 34, SIGNER_BYTES = 100, CUT_BYTES = 90, OFFICE_BYTES = 10 };
	size_t cuts = 0, offices = s->type == STATEMENT_SPACE ? s->u.space.office_count : 0;

	switch (s->type) {
	case STATEMENT_REVOKE: cuts = s->u.revoke.cut_count; break;
	case STATEMENT_EPOCH: cuts = s->u.epoch.cut_count; break;
	case STATEMENT_ADOPT: cuts = s->u.adopt.cut_count; break;
	case STATEMENT_GRANT: cuts = s->u.grant.cut_count; break;
	default: break;
	}
	return 1 + (uint32_t)((s->parent_count * PARENT_BYTES + s->signer_count * SIGNER_BYTES +
			       cuts * CUT_BYTES + offices * OFFICE_BYTES) >>
			      10);
}

struct space_id statement_space(const struct statement_id *id)
{
	struct space_id space;

	memcpy(space.bytes, id->bytes, ID_BYTES);
	return space;
}

struct statement_id statement_id_of(struct bytes content)
{
	struct statement_id id;

	hash_two(id.bytes, "huitong-statement-1", content, bytes_of(NULL, 0));
	return id;
}

int cut_cmp(const struct cut *a, const struct cut *b)
{
	int order = replica_id_cmp(&a->replica, &b->replica);

	return order ? order : space_id_cmp(&a->space, &b->space);
}

static int compare_cuts(const void *a, const void *b)
{
	return cut_cmp(a, b);
}

void cuts_sort(struct cut *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), compare_cuts);
}

/* ---- What every statement must be like ------------------------------------ */

static bool is_sound(const struct statement *s)
{
	const struct statement_format *format = statement_format(s->type);

	return (s->parent_count > 0) == format->has_parents &&
	       (s->signer_count > 0) == format->has_signers &&
	       s->wall_ms <= STATEMENT_WALL_MS_MAX &&
	       statement_list_ascends(s->parents, s->parent_count) &&
	       statement_list_ascends(s->signers, s->signer_count) && format->is_sound(s);
}

/* ---- Signing -------------------------------------------------------------- */

/* What a signature is over. */
struct signed_text {
	uint8_t bytes[19 + STATEMENT_ID_BYTES];
};

static struct signed_text text_to_sign(const struct statement_id *id)
{
	struct signed_text text;

	memcpy(text.bytes, "huitong-statement-1", 19);
	memcpy(text.bytes + 19, id->bytes, STATEMENT_ID_BYTES);
	return text;
}

void statement_put_content(struct buf *out, const struct statement *s)
{
	const struct statement_format *format = statement_format(s->type);

	wire_put_array(out, CONTENT_HEAD + format->argument_count);
	wire_put_uint(out, CONTENT_VERSION);
	wire_put_uint(out, s->type);
	statement_put_list(out, s->parents, s->parent_count);
	statement_put_list(out, s->signers, s->signer_count);
	wire_put_uint(out, s->wall_ms);
	format->put(out, s);
}

static enum err check_counts(const struct statement *s, size_t signer_count, struct errmsg *msg)
{
	const struct {
		const char *what;
		size_t count, max;
	} counts[] = {
		{ "parents", s->parent_count, PARENTS_MAX },
		{ "signers", signer_count, SIGNERS_MAX },
		{ "feeds", statement_cut_count(s), CUTS_MAX },
		{ "root keys", statement_root_count(s), ROOTS_MAX },
		{ "offices", s->type == STATEMENT_SPACE ? s->u.space.office_count : 0,
		  SPACE_OFFICES_MAX },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].count > counts[i].max)
			return errmsg_set(msg, ERR_LIMIT, "%s: %zu %s, the limit is %zu",
					  statement_type_name(s->type), counts[i].count,
					  counts[i].what, counts[i].max);
	return OK;
}

static int signer_cmp(const void *a, const void *b)
{
	return sign_key_cmp(&((const struct signer *)a)->key, &((const struct signer *)b)->key);
}

static void put_signatures(struct buf *out, const struct statement_id *id,
			   const struct signer *signers, size_t count)
{
	struct signed_text text = text_to_sign(id);
	uint8_t signature[SIGNATURE_BYTES];

	wire_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		crypto_sign_detached(signature, NULL, text.bytes, sizeof(text.bytes),
				     signers[i].secret);
		wire_put_bin(out, bytes_of(signature, SIGNATURE_BYTES));
	}
}

enum err statement_sign(struct buf *out, struct statement *s, const struct signer *signers,
			size_t signer_count, struct errmsg *msg)
{
	struct signer sorted[SIGNERS_MAX];
	struct sign_key keys[SIGNERS_MAX];
	struct statement whole = *s;
	struct buf content = BUF_EMPTY;
	size_t start = out->size;
	enum err rc = check_counts(s, signer_count, msg);

	if (rc != OK)
		return rc;
	for (size_t i = 0; i < signer_count; i++)
		sorted[i] = signers[i];
	qsort(sorted, signer_count, sizeof(sorted[0]), signer_cmp);
	for (size_t i = 0; i < signer_count; i++)
		keys[i] = sorted[i].key;
	whole.signers = keys;
	whole.signer_count = signer_count;
	assert(is_sound(&whole));

	statement_put_content(&content, &whole);
	rc = buf_check(&content);
	if (rc != OK)
		goto out;
	whole.id = statement_id_of(buf_bytes(&content));
	wire_put_array(out, 2);
	wire_put_bin(out, buf_bytes(&content));
	put_signatures(out, &whole.id, sorted, signer_count);
	rc = buf_check(out);
	if (rc == OK)
		s->id = whole.id;
	else
		out->size = start;
out:
	buf_release(&content);
	return rc == OK ? OK : errmsg_set(msg, rc, "statement: out of memory");
}

/* ---- Reading -------------------------------------------------------------- */

/* Read up to the first signature. */
static struct bytes get_envelope(struct wire_reader *r, uint32_t *signature_count)
{
	struct bytes content;

	if (wire_array(r, 2) != 2)
		wire_fail(r, ERR_FORMAT);
	content = wire_bin(r, STATEMENT_BYTES_MAX);
	*signature_count = wire_array(r, SIGNERS_MAX);
	return content;
}

static const uint8_t *get_signature(struct wire_reader *r)
{
	struct bytes signature = wire_bin(r, SIGNATURE_BYTES);

	if (signature.size != SIGNATURE_BYTES)
		wire_fail(r, ERR_FORMAT);
	return signature.data;
}

/* Version and type; NULL when we can't read on. */
static const struct statement_format *get_head(struct statement *s, struct wire_reader *r)
{
	uint32_t count = wire_array(r, UINT32_MAX);
	uint64_t version = wire_uint(r, UINT64_MAX), type;
	const struct statement_format *format;

	if (version > CONTENT_VERSION)
		wire_fail(r, ERR_VERSION);
	type = wire_uint(r, INT32_MAX);
	if (type >= STATEMENT_TYPE_COUNT)
		wire_fail(r, ERR_VERSION);
	s->type = (enum statement_type)type;
	format = statement_format(s->type);
	if (version == 0 || !format || count != CONTENT_HEAD + format->argument_count)
		wire_fail(r, ERR_FORMAT);
	return wire_is_ok(r) ? format : NULL;
}

static enum err decode_content(struct statement *s, struct bytes content, struct arena *arena)
{
	struct wire_reader r = wire_reader_of(content);
	const struct statement_format *format = get_head(s, &r);
	enum err rc;

	if (!format)
		return r.rc;
	s->parents = statement_get_list(&r, arena, PARENTS_MAX, &s->parent_count);
	s->signers = statement_get_list(&r, arena, SIGNERS_MAX, &s->signer_count);
	s->wall_ms = wire_uint(&r, STATEMENT_WALL_MS_MAX);
	format->get(s, &r, arena);
	rc = wire_end(&r);
	if (rc == OK && !is_sound(s))
		rc = ERR_FORMAT;
	return rc;
}

static enum err decode(struct statement *s, struct bytes input, struct arena *arena)
{
	struct wire_reader r = wire_reader_of(input);
	uint32_t signature_count;
	struct bytes content = get_envelope(&r, &signature_count);
	enum err rc;

	for (uint32_t i = 0; i < signature_count; i++)
		get_signature(&r);
	rc = wire_end(&r);
	if (rc == OK)
		rc = decode_content(s, content, arena);
	if (rc == OK && signature_count != s->signer_count)
		rc = ERR_FORMAT;
	if (rc == OK)
		s->id = statement_id_of(content);
	return rc;
}

enum err statement_decode(struct statement *out, struct bytes input, struct arena *arena,
			  struct errmsg *msg)
{
	struct statement s = { 0 };
	enum err rc;

	if (input.size > STATEMENT_BYTES_MAX)
		return errmsg_set(msg, ERR_LIMIT, "statement: %zu bytes, the limit is %d",
				  input.size, STATEMENT_BYTES_MAX);
	rc = decode(&s, input, arena);
	if (rc != OK)
		return errmsg_set(msg, rc, "statement: a malformed one of %zu bytes (%s)",
				  input.size, err_name(rc));
	*out = s;
	return OK;
}

/* ---- Verifying ------------------------------------------------------------ */

static bool has_signer(const struct statement *s, const uint8_t key[SIGN_PUBLIC_BYTES])
{
	for (size_t i = 0; i < s->signer_count; i++)
		if (memcmp(s->signers[i].bytes, key, SIGN_PUBLIC_BYTES) == 0)
			return true;
	return false;
}

/* Who makes an identity known, shows that it has the key. An ADMIT doesn't: there
 * the issuer has seen the proof (docs/PROTOCOL.md, "Enrolment"). */
static bool own_key_signed(const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_GENESIS: return has_signer(s, s->u.genesis.node.identity.sign_key);
	case STATEMENT_EPOCH: return has_signer(s, s->u.epoch.identity.sign_key);
	default: return true;
	}
}

static bool proves_itself(const struct statement *s)
{
	if (s->type != STATEMENT_FORK)
		return true;
	for (int i = 0; i < 2; i++)
		if (!witness_is_valid(&s->u.fork.witnesses[i], &s->u.fork.space, &s->u.fork.replica,
				      s->u.fork.seq, s->u.fork.sign_key))
			return false;
	return true;
}

static bool signatures_verify(const struct statement *s, struct bytes input)
{
	struct wire_reader r = wire_reader_of(input);
	struct signed_text text = text_to_sign(&s->id);
	uint32_t count;

	get_envelope(&r, &count);
	if (count != s->signer_count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *signature = get_signature(&r);

		if (!wire_is_ok(&r) ||
		    crypto_sign_verify_detached(signature, text.bytes, sizeof(text.bytes),
						s->signers[i].bytes) != 0)
			return false;
	}
	return true;
}

enum err statement_verify(const struct statement *s, struct bytes input, struct errmsg *msg)
{
	if (own_key_signed(s) && proves_itself(s) && signatures_verify(s, input))
		return OK;
	return errmsg_set(msg, ERR_SIGNATURE, "statement: a %s whose signatures do not verify",
			  statement_type_name(s->type));
}
