#include "node/root_set.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/output.h"
#include "node/prompt.h"

enum { TRIES_MAX = 5, LINE_MAX_BYTES = 512, KEY_CHARS_SHOWN = 8 };

void root_set_wipe(struct root_set *set)
{
	sodium_memzero(set, sizeof(*set));
}

struct roots root_set_public(const struct root_set *set)
{
	return (struct roots){ .threshold = set->threshold,
			       .keys = set->public_keys,
			       .count = set->count };
}

void root_set_signers(const struct root_set *set, struct signer *out)
{
	for (size_t i = 0; i < set->count; i++)
		out[i] = (struct signer){ set->keys[i].key, set->keys[i].secret };
}

/* ---- New ones -------------------------------------------------------------- */

static enum err parse_count(const struct args *args, const char *name, unsigned fallback,
			    unsigned max, unsigned *out, struct errmsg *msg)
{
	const char *text = args_option(args, name);
	char *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : fallback;

	if ((text && (end == text || *end || *text == '-')) || n < 1 || n > max)
		return errmsg_set(msg, ERR_INVALID, _("--%s: a number from 1 to %u is wanted"),
				  name, max);
	*out = (unsigned)n;
	return OK;
}

/* Put in its place; false if it is there already. */
static bool insert(struct root_set *set, const struct root_secret *secret)
{
	struct root_key key;
	size_t at = 0;

	root_secret_key(&key, secret);
	while (at < set->count && sign_key_cmp(&set->public_keys[at], &key.key) < 0)
		at++;
	if (at < set->count && sign_key_cmp(&set->public_keys[at], &key.key) == 0) {
		sodium_memzero(&key, sizeof(key));
		return false;
	}
	for (size_t i = set->count; i > at; i--) {
		set->secrets[i] = set->secrets[i - 1];
		set->keys[i] = set->keys[i - 1];
		set->public_keys[i] = set->public_keys[i - 1];
	}
	set->secrets[at] = *secret;
	set->keys[at] = key;
	set->public_keys[at] = key.key;
	set->count++;
	sodium_memzero(&key, sizeof(key));
	return true;
}

enum err root_set_draw(struct root_set *out, const struct args *args, const struct dice *dice,
		       struct errmsg *msg)
{
	struct root_secret secret;
	unsigned count, threshold;
	enum err rc = parse_count(args, "roots", 1, ROOTS_MAX, &count, msg);

	if (rc == OK)
		rc = parse_count(args, "threshold", count > 1 ? count - 1 : 1, count, &threshold,
				 msg);
	if (rc != OK)
		return rc;
	*out = (struct root_set){ .threshold = threshold };
	while (out->count < count) {
		root_secret_draw(&secret, dice);
		insert(out, &secret);
	}
	sodium_memzero(&secret, sizeof(secret));
	return OK;
}

/* ---- Shown once ------------------------------------------------------------ */

/* "1 lusab  2 babad ...": the numbers help to write them down, and are skipped when they
 * are typed in. */
static void print_words(const struct root_secret *secret)
{
	char words[WORDS_TEXT_MAX];

	root_secret_words(words, secret);
	for (size_t i = 0; i < ROOT_WORD_COUNT; i++)
		printf("  %zu %.*s%s", i + 1, WORD_LETTERS, words + i * (WORD_LETTERS + 1),
		       (i + 1) % 3 ? "" : "\n");
	sodium_memzero(words, sizeof(words));
}

void root_set_print(const struct root_set *set)
{
	printf("\n%s\n",
	       _("Recovery words. Write them down now, on paper, and keep them where nobody else\n"
		 "finds them: they are shown this once and stored nowhere. Whoever has them can\n"
		 "make an admin when the last one is lost (huitong recover), or rule alone."));
	if (set->count > 1)
		printf(_("Give each of the %zu lists to somebody else; any %u of them decide.\n"),
		       set->count, set->threshold);
	for (size_t i = 0; i < set->count; i++) {
		char key[2 * SIGN_PUBLIC_BYTES + 1];

		hex_encode(key, bytes_of(set->public_keys[i].bytes, SIGN_PUBLIC_BYTES));
		printf("\n");
		printf(_("List %zu of %zu, root key %.*s\n"), i + 1, set->count, KEY_CHARS_SHOWN,
		       key);
		print_words(&set->secrets[i]);
	}
	printf("\n");
}

json_t *root_set_json(const struct root_set *set)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < set->count; i++) {
		char key[2 * SIGN_PUBLIC_BYTES + 1], words[WORDS_TEXT_MAX];

		hex_encode(key, bytes_of(set->public_keys[i].bytes, SIGN_PUBLIC_BYTES));
		root_secret_words(words, &set->secrets[i]);
		json_array_append_new(keys, json_pack("{s:s, s:s}", "key", key, "words", words));
		sodium_memzero(words, sizeof(words));
	}
	return json_pack("{s:i, s:o}", "threshold", (int)set->threshold, "keys", keys);
}

/* ---- Typed in -------------------------------------------------------------- */

static enum err take(struct root_set *set, const struct trust *trust, const char *line,
		     struct errmsg *msg)
{
	struct root_secret secret;
	struct root_key key;
	enum err rc = root_secret_read(&secret, line, msg);

	if (rc != OK)
		return rc;
	root_secret_key(&key, &secret);
	if (!trust_is_root(trust, &key.key))
		rc = errmsg_set(msg, ERR_INVALID,
				_("these words are of no root key that this organisation has now"));
	else if (!insert(set, &secret))
		rc = errmsg_set(msg, ERR_INVALID, _("that list was given before"));
	sodium_memzero(&secret, sizeof(secret));
	sodium_memzero(&key, sizeof(key));
	return rc;
}

/* They may stand on several lines, as they were shown. */
static enum err read_words(const char *question, char *out, size_t size, struct errmsg *msg)
{
	size_t used = 0;
	enum err rc = OK;

	do {
		if (used + 1 >= size)
			return errmsg_set(msg, ERR_LIMIT,
					  _("a list of words has at most %zu bytes"), size - 1);
		rc = prompt_secret(used ? _("go on:") : question, out + used, size - used, msg);
		used += strlen(out + used);
		out[used++] = ' ';
		out[used] = '\0';
	} while (rc == OK && words_count(out) < ROOT_WORD_COUNT);
	return rc;
}

/* At a terminal a slip can be mended. */
static enum err ask_one(struct root_set *set, const struct trust *trust, struct errmsg *msg)
{
	char question[128], words[LINE_MAX_BYTES + 1];
	enum err rc = ERR_FORMAT;

	snprintf(question, sizeof(question), _("Recovery words, list %zu of %u:"), set->count + 1,
		 trust->root_threshold);
	for (int i = 0; i < TRIES_MAX && rc != OK; i++) {
		if (i)
			fprintf(stderr, "%s\n", msg->text);
		rc = read_words(question, words, LINE_MAX_BYTES, msg);
		if (rc != OK)
			break;
		rc = take(set, trust, words, msg);
		if (!isatty(STDIN_FILENO))
			break;
	}
	sodium_memzero(words, sizeof(words));
	return rc;
}

enum err root_set_ask(struct root_set *out, const struct trust *trust, struct errmsg *msg)
{
	struct root_set set = { .threshold = trust->root_threshold };
	enum err rc = OK;

	while (rc == OK && set.count < trust->root_threshold)
		rc = ask_one(&set, trust, msg);
	if (rc == OK)
		*out = set;
	root_set_wipe(&set);
	return rc;
}
