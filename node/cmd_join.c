/* join: a machine becomes a node. */
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/joining.h"
#include "node/newcomer.h"
#include "node/output.h"
#include "node/words.h"

static enum err print(struct context *ctx, bool complete, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	const char *office = self ? self->office_code : "";

	if (ctx->is_json)
		return output_json(stdout, newcomer_json(ctx, office, complete), msg);
	newcomer_print(ctx, office);
	fprintf(stderr, "%s\n",
		complete ? _("next: huitong serve")
			 : _("the link broke before everything was here: `huitong serve` fetches "
			     "the rest"));
	return OK;
}

static enum err become_member(struct context *ctx, const struct args *args,
			      const struct ticket *ticket, struct errmsg *msg)
{
	const char *office_name = args_option(args, "name");
	char name[PERSON_NAME_SIZE];
	struct joining_config config = { .ctx = ctx,
					 .ticket = ticket,
					 .office_name =
						 office_name ? office_name : ticket->office_code,
					 .person_name = newcomer_person(args, name),
					 .address = args_option(args, "address") };
	const struct member *self;
	bool complete = false;
	enum err rc = joining_run(&config, &complete, msg);

	if (rc == ERR_IO || rc == ERR_TIMEOUT)
		fprintf(stderr, "%s\n",
			_("Nobody answers: does `huitong serve` run where the ticket was made, and "
			  "is its address reachable from here? This can be repeated."));
	self = replica_self(ctx->replica);
	if (rc == OK && self)
		rc = newcomer_remember_person(ctx, config.person_name, &self->office, msg);
	if (rc == OK)
		rc = print(ctx, complete, msg);
	/* Until that was shown, who was killed may give the command again. */
	if (rc == OK && fflush(stdout) == 0)
		rc = newcomer_forget_ticket(ctx, msg);
	return rc;
}

/* So that two people can compare by telephone what one of them read out or mailed. */
static void show_check_words(const char *ticket)
{
	char words[WORDS_TEXT_MAX];

	ticket += strspn(ticket, " \t\r\n");
	words_check(words, bytes_of(ticket, strcspn(ticket, " \t\r\n")));
	fprintf(stderr, _("check words: %s\n"), words);
}

enum err cmd_join(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct ticket ticket = { .address_count = 0 };
	int lock_fd = -1;
	enum err rc = ticket_decode(&ticket, args_word(args, 0), msg);

	if (rc == OK)
		show_check_words(args_word(args, 0));
	if (rc == OK)
		rc = newcomer_check_address(args, msg);
	if (rc == OK)
		rc = newcomer_prepare(ctx, &ticket, &lock_fd, msg);
	if (rc == OK)
		rc = become_member(ctx, args, &ticket, msg);
	ticket_wipe(&ticket);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
