#include "node/exit.h"

#include <stddef.h>

#include "node/i18n.h"

struct outcome {
	enum exit_code code;
	const char *advice;
};

/* Whatever is not listed ends as EXIT_FAILED without advice. */
static const struct outcome outcomes[ERR_COUNT] = {
	[OK] = { EXIT_OK },
	[ERR_NOMEM] = { EXIT_FAILED, N_("The machine is out of memory: end other programs.") },
	[ERR_IO] = { EXIT_FAILED },
	[ERR_FULL] = { EXIT_FAILED,
		       N_("Nothing was changed. Free space on that disk and try again.") },
	[ERR_READONLY] = { EXIT_FAILED,
			   N_("Nothing was changed. Check who owns the data folder and whether "
			      "its disk is mounted read-only.") },
	[ERR_BUSY] = { EXIT_BUSY,
		       N_("Another process is at work there: try again when it is done.") },
	[ERR_CORRUPT] = { EXIT_FAILED, N_("Copy the data folder elsewhere; then, with the daemon "
					  "stopped, huitong "
					  "repair; if that fails, restore a backup or join again: "
					  "see OPERATIONS, "
					  "\"backups\".") },
	[ERR_KEY] = { EXIT_FAILED,
		      N_("The key says who this node is: put identity.key back, mode 0600, "
			 "owned by you, or join again as a new node.") },
	[ERR_CLOCK] = { EXIT_FAILED, N_("Set the machine's clock (timedatectl), then try again.") },
	[ERR_INVALID] = { EXIT_REFUSED },
	[ERR_LIMIT] = { EXIT_REFUSED },
	[ERR_NOT_FOUND] = { EXIT_MISSING },
	[ERR_AMBIGUOUS] = { EXIT_MISSING, N_("Say more of it, or its id.") },
	[ERR_EXISTS] = { EXIT_REFUSED },
	[ERR_VERSION] = { EXIT_FAILED,
			  N_("Written by another version of huitong: upgrade this one.") },
	[ERR_ORG] = { EXIT_FAILED,
		      N_("A folder is one node of one organisation, once huitong init or huitong "
			 "join has ended there; --replica FOLDER names another.") },
	[ERR_HANDSHAKE] = { EXIT_FAILED,
			    N_("The other side is not who the ticket or the directory says: ask "
			       "for a new ticket.") },
	[ERR_SIGNATURE] = { EXIT_FAILED,
			    N_("Somebody changed this data: keep a copy and tell who runs the "
			       "other node.") },
	[ERR_CHAIN] = { EXIT_FAILED,
			N_("The log is not whole: copy the data folder elsewhere; then, with the "
			   "daemon stopped, huitong repair.") },
	[ERR_FORK] = { EXIT_FAILED, N_("A copy of a node wrote, too: see OPERATIONS, \"forks\".") },
	[ERR_FUTURE] = { EXIT_FAILED, N_("Compare the clocks of both machines.") },
	[ERR_AUTHORITY] = { EXIT_REFUSED,
			    N_("Ask an admin (huitong members), or a manager of the collaboration "
			       "(huitong collab offices); the holders of the recovery words can "
			       "make an admin: huitong recover.") },
	[ERR_REVOKED] = { EXIT_REFUSED,
			  N_("Who was removed comes back with a new ticket: `huitong invite` on an "
			     "admin's node; then, with the daemon stopped, `huitong join` here. "
			     "What this folder holds stays.") },
	[ERR_SUPERSEDED] = { EXIT_REFUSED,
			     N_("If both copies shall go on, enrol this one anew: `huitong invite` "
				"on "
				"an admin's node; then, with the daemon stopped, `huitong join` "
				"here. What only this one holds is kept. Otherwise just stop "
				"it.") },
	[ERR_GRANT] = { EXIT_REFUSED, N_("Its managers say who takes part, and as what: huitong "
					 "collab offices.") },
	[ERR_TIMEOUT] = { EXIT_FAILED,
			  N_("Try again; if it stays so, check the address, the link and the "
			     "firewall.") },
	[ERR_CLOSED] = { EXIT_FAILED, N_("The other side's log says why.") },
};

enum exit_code exit_code_of(enum err code)
{
	if ((unsigned)code >= ERR_COUNT)
		return EXIT_FAILED;
	/* An entry that was left out reads as zero, which only OK may be. */
	if (code != OK && outcomes[code].code == EXIT_OK)
		return EXIT_FAILED;
	return outcomes[code].code;
}

const char *exit_advice(enum err code)
{
	if ((unsigned)code >= ERR_COUNT || !outcomes[code].advice)
		return NULL;
	return _(outcomes[code].advice);
}
