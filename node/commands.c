/* The table of commands. Help, parsing and dispatch follow from it. */
#include "core/schema.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/writing.h"

#define FIELD(n) (UINT64_C(1) << (n))
/* clang-format off */
#define OPTIONS(...) (const struct command_option[]) { __VA_ARGS__, { NULL } }
/* clang-format on */

#define COLLABORATION_FIELDS                                                                       \
	(FIELD(COLLABORATION_KIND) | FIELD(COLLABORATION_GOAL) | FIELD(COLLABORATION_BACKGROUND) | \
	 FIELD(COLLABORATION_SCOPE_IN) | FIELD(COLLABORATION_SCOPE_OUT) |                          \
	 FIELD(COLLABORATION_TAGS) | FIELD(COLLABORATION_LEAD))
#define MEETING_FIELDS                                                              \
	(FIELD(MEETING_KIND) | FIELD(MEETING_START) | FIELD(MEETING_DURATION) |     \
	 FIELD(MEETING_PLACE) | FIELD(MEETING_GOAL) | FIELD(MEETING_PARTICIPANTS) | \
	 FIELD(MEETING_CHAIR) | FIELD(MEETING_RECORDER) | FIELD(MEETING_TIMEKEEPER))
#define ACTION_FIELDS                                                             \
	(FIELD(ACTION_OWNER) | FIELD(ACTION_DUE) | FIELD(ACTION_DELIVERABLE) |    \
	 FIELD(ACTION_PRIORITY) | FIELD(ACTION_MEETING) | FIELD(ACTION_HELPERS) | \
	 FIELD(ACTION_CC))
#define PERSON_FIELDS                                                         \
	(FIELD(PERSON_SORT_KEY) | FIELD(PERSON_OFFICE) | FIELD(PERSON_ZONE) | \
	 FIELD(PERSON_CONTACTS) | FIELD(PERSON_ACTIVE))

#define OPTION_COLLAB                                                                          \
	{                                                                                      \
		"collab", "COLLAB", N_("in this collaboration; needed when there are several") \
	}
#define OPTION_ONLY_COLLAB                                           \
	{                                                            \
		"collab", "COLLAB", N_("only of this collaboration") \
	}
#define OPTION_AT                                                                           \
	{                                                                                   \
		"at", "SPACE:SEQ", N_("let what it wrote there count up to this changeset") \
	}
#define OPTION_YES                                                 \
	{                                                          \
		"yes", NULL, N_("without asking for confirmation") \
	}
#define OPTION_IN                                                                 \
	{                                                                         \
		"in", "SPACE", N_("only in this collaboration, or \"directory\"") \
	}
#define OPTION_OFFICE_NAME                                          \
	{                                                           \
		"office-name", "TEXT", N_("the office's full name") \
	}
#define OPTION_PERSON                                                            \
	{                                                                        \
		"person", "NAME", N_("you: the author of what is recorded here") \
	}
#define OPTION_ADDRESS                                                                             \
	{                                                                                          \
		"address", "HOST:PORT", N_("where the other offices reach this node, if they can") \
	}
/* Of texts (node/writing.h). */
#define OPTIONS_WRITING                                                                \
	{ WRITING_RESUME, NULL, N_("go on with what was typed and not stored") },      \
	{                                                                              \
		WRITING_DISCARD, NULL,                                                 \
			N_("throw away what was typed and not stored, and begin anew") \
	}
#define OPTION_FROM                                                                  \
	{                                                                            \
		"from", "VERSION", N_("what you have changed; else the text of now") \
	}
#define OPTION_VERSIONS                                                              \
	{                                                                            \
		"limit", "N", N_("at most so many; 20 if left out, all with --json") \
	}
#define OPTION_LINES                                                             \
	{                                                                        \
		"lines", NULL, N_("line by line, with - and + in front of them") \
	}

static const struct command commands[] = {
	{ .heading = N_("Begin"),
	  .name = "init",
	  .arguments = "",
	  .summary = N_("found an organisation, with this machine as its first node"),
	  .details =
		  N_("Recovery words are shown once: whoever has them can make an admin when the\n"
		     "last one is lost. Write them down.\n\n"
		     "  huitong init --org Huitong --office SHA --zone Asia/Shanghai \\\n"
		     "          --person \"Wang Fang\" --address sha.example.org:7420"),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_init,
	  .options = OPTIONS(
		  { "org", "NAME", N_("the organisation's name"), true },
		  { "office", "CODE", N_("this office: 2 to 8 of A-Z 0-9, for ever"), true },
		  { "zone", "ZONE", N_("its time zone; else this machine's") },
		  { "roots", "N", N_("so many root keys, each with its recovery words; else 1") },
		  { "threshold", "M", N_("how many of them decide; else all but one") },
		  OPTION_OFFICE_NAME, OPTION_PERSON, OPTION_ADDRESS) },
	{ .name = "invite",
	  .arguments = "OFFICE",
	  .summary = N_("print a ticket with which one machine can join"),
	  .details =
		  N_("The ticket is a secret: whoever has it can join once, as this office,\n"
		     "until it expires. This node must be running (huitong serve) and reachable\n"
		     "when it is used. Compare the six check words by telephone: join shows the\n"
		     "same ones. Five tries without its secret burn it.\n\n"
		     "  huitong invite FRA --zone Europe/Berlin --address sha.example.org:7420"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_invite,
	  .options =
		  OPTIONS({ "zone", "ZONE", N_("the office's time zone, if it is new") },
			  { "expires", "TIME", N_("30m, 24h, 3d; 24h if left out, at most 72h") },
			  { "admin", NULL, N_("the new node is an admin, too") },
			  { "qr", NULL, N_("show it as a QR code, too") },
			  { "address", "HOST:PORT",
			    N_("where to reach this node; else what init was told") }) },
	{ .name = "tickets",
	  .arguments = "",
	  .summary = N_("the tickets that were made here and are open"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_tickets,
	  .options = OPTIONS({ "all", NULL, N_("used, expired and burned ones, too") }) },
	{ .name = "ticket burn",
	  .arguments = "ID",
	  .summary = N_("take a ticket back"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_ticket_burn },
	{ .name = "join",
	  .arguments = "TICKET",
	  .summary = N_("become a node of the organisation that gave the ticket"),
	  .details =
		  N_("Returns when everything that this office takes part in is here. If the\n"
		     "link breaks on the way, `huitong serve` fetches the rest.\n\n"
		     "In the folder of a node that was removed, or of a copy of a node that goes\n"
		     "on elsewhere, it enrols that anew, under new keys; nothing is lost."),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_join,
	  .options = OPTIONS({ "name", "TEXT", N_("the office's full name, if it is new") },
			     OPTION_PERSON, OPTION_ADDRESS) },
	{ .name = "serve",
	  .arguments = "",
	  .summary = N_("keep this replica in sync with the other offices, until stopped"),
	  .details =
		  N_("One runs for each data folder. Commands work with and without it; it sends\n"
		     "at once what they record. SIGTERM or Ctrl-C ends it cleanly."),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_serve,
	  .options = OPTIONS(
		  { "listen", "HOST:PORT", N_("accept peers there; port 0: any") },
		  { "peer", "HOST:PORT", N_("dial this address, too") },
		  { "scrub", "TIME", N_("look at the whole database so often: 12h, 7d; 0: never") },
		  { "log-level", "LEVEL", N_("debug, info, warn or error") }) },
	{ .name = "status",
	  .arguments = "",
	  .summary = N_("where this node stands"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_status,
	  .options = OPTIONS({ "hash", NULL,
			       N_("the hash of the state, too: equal offices show the same") }) },
	{ .name = "peers",
	  .arguments = "",
	  .summary = N_("the other nodes, and what passes between them and this one"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_peers },
	{ .name = "sync now",
	  .arguments = "",
	  .summary = N_("have the daemon dial everybody and compare"),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_sync_now },
	{ .name = "sync pause",
	  .arguments = "",
	  .summary = N_("have the daemon end all sessions until resumed or restarted"),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_sync_pause },
	{ .name = "sync resume",
	  .arguments = "",
	  .summary = N_("have the daemon connect again"),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_sync_resume },

	{ .heading = N_("Offices, people, collaborations"),
	  .name = "person new",
	  .arguments = "NAME",
	  .summary = N_("enter somebody into the directory"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_new,
	  .kind = KIND_PERSON,
	  .field = PERSON_NAME,
	  .fields = PERSON_FIELDS },
	{ .name = "person edit",
	  .arguments = "PERSON",
	  .summary = N_("change somebody's entry"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_PERSON,
	  .fields = PERSON_FIELDS | FIELD(PERSON_NAME),
	  .edits = true },
	{ .name = "person list",
	  .arguments = "",
	  .summary = N_("everybody"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_person_list },
	{ .name = "office list",
	  .arguments = "",
	  .summary = N_("all offices, and what time it is there"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_office_list },
	{ .name = "office edit",
	  .arguments = "OFFICE",
	  .summary = N_("change an office's entry"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_OFFICE,
	  .fields = FIELD(OFFICE_NAME) | FIELD(OFFICE_ZONE) | FIELD(OFFICE_CLOSES),
	  .edits = true },
	{ .name = "node list",
	  .arguments = "",
	  .summary = N_("the machines of all offices, and where they are reached"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_node_list },
	{ .name = "node edit",
	  .arguments = "NODE",
	  .summary = N_("change a machine's name or addresses; this one is \"self\""),
	  .details = N_("  huitong node edit self --addresses sha.example.org:7420"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_NODE,
	  .fields = FIELD(NODE_NAME) | FIELD(NODE_ADDRESSES),
	  .edits = true },
	{ .name = "collab new",
	  .arguments = "TITLE",
	  .summary = N_("begin a collaboration of some offices, or of all"),
	  .details =
		  N_("Only the offices that take part receive what is recorded in it. An office\n"
		     "is a reader, an editor, which is the default, or a manager, which says who\n"
		     "takes part; this office is one.\n\n"
		     "  huitong collab new \"Go-live in Europe\" --offices FRA,NYC:reader"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_collab_new,
	  .options = OPTIONS({ "offices", "CODES",
			       N_("who takes part beside this office: FRA,NYC:reader; else all") }),
	  .kind = KIND_COLLABORATION,
	  .fields = COLLABORATION_FIELDS },
	{ .name = "collab admit",
	  .arguments = "COLLAB OFFICE",
	  .summary = N_("let an office take part, or give it another role"),
	  .details = N_("It receives all that was recorded, too."),
	  .needs = NEEDS_EDITING,
	  .run = cmd_collab_admit,
	  .options = OPTIONS(
		  { "role", "ROLE", N_("reader, editor or manager; editor if left out") }) },
	{ .name = "collab remove",
	  .arguments = "COLLAB OFFICE",
	  .summary = N_("let an office take part no more; it keeps what it has"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_collab_remove },
	{ .name = "collab offices",
	  .arguments = "COLLAB",
	  .summary = N_("who takes part, and as what"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_collab_offices },
	{ .name = "collab list",
	  .arguments = "",
	  .summary = N_("the collaborations that this office takes part in"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_collab_list },
	{ .name = "collab show",
	  .arguments = "COLLAB",
	  .summary = N_("one, with all its fields"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_record_show,
	  .kind = KIND_COLLABORATION },
	{ .name = "collab edit",
	  .arguments = "COLLAB",
	  .summary = N_("change its fields"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_COLLABORATION,
	  .fields = COLLABORATION_FIELDS | FIELD(COLLABORATION_TITLE) | FIELD(COLLABORATION_PHASE),
	  .edits = true },

	{ .heading = N_("Membership and trust"),
	  .name = "members",
	  .arguments = "",
	  .summary = N_("the nodes of the organisation, and which are admins"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_members },
	{ .name = "admin grant",
	  .arguments = "NODE",
	  .summary = N_("let a node invite and revoke others"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_admin_grant },
	{ .name = "admin withdraw",
	  .arguments = "NODE",
	  .summary = N_("let it do so no more"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_admin_withdraw,
	  .options = OPTIONS(OPTION_YES) },
	{ .name = "revoke",
	  .arguments = "NODE",
	  .summary = N_("a node, or an office by its code, is a member no more"),
	  .details = N_(
		  "What is held here of it goes on to count; whatever else comes of it is left\n"
		  "out, everywhere. Of a laptop that was stolen on Friday, say where it stood on\n"
		  "Thursday (huitong log --json tells the seq):\n\n"
		  "  huitong revoke 0193a5c7 --at directory:12 --at CO-SHA-2026-0001:40"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_revoke,
	  .options = OPTIONS(OPTION_AT, OPTION_YES) },
	{ .name = "rotate",
	  .arguments = "",
	  .summary = N_("give this node new keys; the daemon must be stopped"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_rotate },
	{ .name = "recover",
	  .arguments = "",
	  .summary = N_("make this node an admin, by the recovery words"),
	  .details =
		  N_("For when no admin is left. Asks for the lists of words until enough have\n"
		     "agreed; without a terminal they are read from the standard input, a list a\n"
		     "line.\n\n"
		     "  huitong recover --revoke 0193a5c7"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_recover,
	  .options = OPTIONS({ "revoke", "NODE", N_("the lost one: it is a member no more") },
			     OPTION_AT) },
	{ .name = "roots",
	  .arguments = "",
	  .summary = N_("the root keys, and how many of them decide"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_roots },
	{ .name = "roots change",
	  .arguments = "",
	  .summary = N_("make new recovery words, by the old ones"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_roots_change,
	  .options = OPTIONS({ "roots", "N", N_("so many root keys; 1 if left out") },
			     { "threshold", "M", N_("how many decide; else all but one") }) },
	{ .name = "trust log",
	  .arguments = "",
	  .summary = N_("every statement of membership, who signed it, and whether it stands"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_trust_log },
	{ .name = "trust show",
	  .arguments = "ID",
	  .summary = N_("one of them, with all it says"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_trust_show },
	{ .name = "quarantine",
	  .arguments = "",
	  .summary = N_("what is held of feeds that were cut, and left out"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_quarantine },
	{ .name = "quarantine show",
	  .arguments = "FEED",
	  .summary = N_("what it would change"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_quarantine_show,
	  .options = OPTIONS(OPTION_IN) },
	{ .name = "quarantine adopt",
	  .arguments = "FEED",
	  .summary = N_("let it count all the same; every office follows"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_quarantine_adopt,
	  .options = OPTIONS(OPTION_IN,
			     { "to", "SEQ", N_("up to this changeset; else all that is here") }) },

	{ .heading = N_("Meetings and minutes"),
	  .name = "meeting new",
	  .arguments = "TITLE",
	  .summary = N_("plan or record a meeting"),
	  .details = N_(
		  "  huitong meeting new \"Weekly\" --kind weekly --start \"2026-11-30 15:00\" \\\n"
		  "          --duration 45 --chair \"Wang Fang\" --participants \"Li Na\""),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_new,
	  .field = MEETING_TITLE,
	  .options = OPTIONS(OPTION_COLLAB),
	  .kind = KIND_MEETING,
	  .fields = MEETING_FIELDS },
	{ .name = "meeting list",
	  .arguments = "",
	  .summary = N_("meetings, the newest first"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_meeting_list,
	  .options = OPTIONS(OPTION_ONLY_COLLAB, { "all", NULL, N_("voided ones, too") }) },
	{ .name = "meeting show",
	  .arguments = "MEETING",
	  .summary = N_("one, with all its fields"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_record_show,
	  .kind = KIND_MEETING },
	{ .name = "meeting edit",
	  .arguments = "MEETING",
	  .summary = N_("change its fields"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_MEETING,
	  .fields = MEETING_FIELDS | FIELD(MEETING_TITLE) | FIELD(MEETING_STATE),
	  .edits = true },
	{ .name = "meeting void",
	  .arguments = "MEETING",
	  .summary = N_("take it back: entered by mistake"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_void,
	  .kind = KIND_MEETING },
	{ .name = "minutes add",
	  .arguments = "MEETING [TEXT]",
	  .summary = N_("add a block to a meeting's minutes"),
	  .details = N_("TEXT \"-\" reads the standard input; without a TEXT, $EDITOR opens.\n\n"
			"  huitong minutes add MT-SHA-2026-0001 --kind conclusion \"Go-live on 1 "
			"March\""),
	  .needs = NEEDS_EDITING,
	  .run = cmd_minutes_add,
	  .options = OPTIONS({ "after", "BLOCK", N_("behind this block; else at the end") },
			     OPTIONS_WRITING),
	  .kind = KIND_BLOCK,
	  .fields = FIELD(BLOCK_KIND) },
	{ .name = "minutes edit",
	  .arguments = "BLOCK",
	  .summary = N_("change a block, in $EDITOR unless --text is given"),
	  .details =
		  N_("A block is named by its minutes' number and its place as shown,\n"
		     "MN-SHA-2026-0001/3, or by its id. What others write while the editor is\n"
		     "open is kept, and merged with what you write: see huitong help text edit."),
	  .needs = NEEDS_EDITING,
	  .run = cmd_text_edit,
	  .options = OPTIONS(OPTIONS_WRITING, OPTION_FROM),
	  .kind = KIND_BLOCK,
	  .field = BLOCK_TEXT,
	  .fields = FIELD(BLOCK_KIND) | FIELD(BLOCK_TEXT) },
	{ .name = "minutes history",
	  .arguments = "BLOCK",
	  .summary = N_("the versions of a block, the newest first"),
	  .details = N_("As huitong text history."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_history,
	  .options = OPTIONS(OPTION_VERSIONS),
	  .kind = KIND_BLOCK,
	  .field = BLOCK_TEXT },
	{ .name = "minutes diff",
	  .arguments = "BLOCK [VERSION] [VERSION]",
	  .summary = N_("what changed in a block from one version to another, or to now"),
	  .details = N_("As huitong text diff."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_diff,
	  .options = OPTIONS(OPTION_LINES),
	  .kind = KIND_BLOCK,
	  .field = BLOCK_TEXT },
	{ .name = "minutes blame",
	  .arguments = "BLOCK",
	  .summary = N_("who wrote what of a block, and when"),
	  .details = N_("As huitong text blame."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_blame,
	  .kind = KIND_BLOCK,
	  .field = BLOCK_TEXT },
	{ .name = "minutes restore",
	  .arguments = "BLOCK VERSION",
	  .summary = N_("write a block as it was; nothing is forgotten"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_text_restore,
	  .kind = KIND_BLOCK,
	  .field = BLOCK_TEXT },
	{ .name = "minutes void",
	  .arguments = "BLOCK",
	  .summary = N_("take a block back"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_void,
	  .kind = KIND_BLOCK },
	{ .name = "minutes show",
	  .arguments = "MEETING",
	  .summary = N_("the minutes as a document; their own number does as well"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_minutes_show },

	{ .heading = N_("Action items"),
	  .name = "action add",
	  .arguments = "TITLE",
	  .summary = N_("record who does what by when"),
	  .details =
		  N_("  huitong action add \"Hand in the report\" --owner \"Li Na\" --due "
		     "2026-11-30 --priority high\n\n"
		     "A due date is wall time in your zone, unless it names another:\n"
		     "\"11-30 17:00 [Europe/Berlin]\". A date alone means until the end of that\n"
		     "day's work."),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_new,
	  .field = ACTION_TITLE,
	  .options = OPTIONS(OPTION_COLLAB),
	  .kind = KIND_ACTION,
	  .fields = ACTION_FIELDS },
	{ .name = "action list",
	  .arguments = "",
	  .summary = N_("what is to be done, the most urgent first"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_action_list,
	  .options = OPTIONS({ "owner", "PERSON", N_("only theirs") },
			     { "state", "STATE", N_("open, doing, blocked, done or cancelled") },
			     { "overdue", NULL, N_("only what is late") },
			     { "all", NULL, N_("what is done, cancelled or voided, too") },
			     OPTION_ONLY_COLLAB) },
	{ .name = "action show",
	  .arguments = "ACTION",
	  .summary = N_("one, with all its fields"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_record_show,
	  .kind = KIND_ACTION },
	{ .name = "action edit",
	  .arguments = "ACTION",
	  .summary = N_("change its fields; an empty value clears one"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_edit,
	  .kind = KIND_ACTION,
	  .fields = ACTION_FIELDS | FIELD(ACTION_TITLE),
	  .edits = true },
	{ .name = "action assign",
	  .arguments = "ACTION PERSON",
	  .summary = N_("name its owner"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_put,
	  .kind = KIND_ACTION,
	  .field = ACTION_OWNER },
	{ .name = "action due",
	  .arguments = "ACTION WHEN",
	  .summary = N_("say when it is due"),
	  .details =
		  N_("  huitong action due AI-SHA-2026-0001 2026-11-30\n"
		     "  huitong action due AI-SHA-2026-0001 \"2026-11-30 17:00 [Europe/Berlin]\""),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_put,
	  .kind = KIND_ACTION,
	  .field = ACTION_DUE },
	{ .name = "action progress",
	  .arguments = "ACTION TEXT",
	  .summary = N_("note how it goes"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_put,
	  .kind = KIND_ACTION,
	  .field = ACTION_PROGRESS },
	{ .name = "action start",
	  .arguments = "ACTION",
	  .summary = N_("work on it has begun, or goes on"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_step,
	  .kind = KIND_ACTION,
	  .field = ACTION_STATE,
	  .to = ACTION_DOING },
	{ .name = "action block",
	  .arguments = "ACTION",
	  .summary = N_("it can't go on"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_step,
	  .kind = KIND_ACTION,
	  .field = ACTION_STATE,
	  .to = ACTION_BLOCKED },
	{ .name = "action done",
	  .arguments = "ACTION",
	  .summary = N_("it is done"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_step,
	  .kind = KIND_ACTION,
	  .field = ACTION_STATE,
	  .to = ACTION_DONE },
	{ .name = "action cancel",
	  .arguments = "ACTION",
	  .summary = N_("nobody needs it any more"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_step,
	  .kind = KIND_ACTION,
	  .field = ACTION_STATE,
	  .to = ACTION_CANCELLED },
	{ .name = "action reopen",
	  .arguments = "ACTION",
	  .summary = N_("it was not the end of it"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_step,
	  .kind = KIND_ACTION,
	  .field = ACTION_STATE,
	  .to = ACTION_OPEN },
	{ .name = "action void",
	  .arguments = "ACTION",
	  .summary = N_("take it back: entered by mistake"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_void,
	  .kind = KIND_ACTION },
	{ .name = "action revive",
	  .arguments = "ACTION",
	  .summary = N_("bring a voided one back"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_revive,
	  .kind = KIND_ACTION },

	{ .heading = N_("Texts that many write"),
	  .name = "text edit",
	  .arguments = "RECORD [FIELD]",
	  .summary = N_("write a goal, a background, any text in $EDITOR"),
	  .details =
		  N_("Names of texts are those of the options: goal, scope-in, deliverable. FIELD\n"
		     "may be left out where there is but one.\n\n"
		     "What differs from the text as you saw it is recorded, so that what others\n"
		     "write meanwhile is kept. What you type is never lost: whatever happens, it\n"
		     "stays in a file that the message names, and is offered the next time.\n\n"
		     "  huitong text edit CO-SHA-2026-0001 goal\n"
		     "  huitong text edit MT-SHA-2026-0001 --text @goal.txt"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_text_edit,
	  .options = OPTIONS(
		  { "text", "TEXT", N_("this, and no editor; - reads stdin, @FILE a file") },
		  OPTIONS_WRITING, OPTION_FROM) },
	{ .name = "text show",
	  .arguments = "RECORD [FIELD] [VERSION]",
	  .summary = N_("a text as it is, or as it was"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_show },
	{ .name = "text history",
	  .arguments = "RECORD [FIELD]",
	  .summary = N_("its versions, the newest first"),
	  .details = N_("CHANGED says how many characters came and went. A version has the same\n"
			"name in every office: huitong text diff, show, restore."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_history,
	  .options = OPTIONS(OPTION_VERSIONS) },
	{ .name = "text diff",
	  .arguments = "RECORD [FIELD] [VERSION] [VERSION]",
	  .summary = N_("what changed from one version to another, or to now"),
	  .details = N_("Without a VERSION: what the newest edit changed. What was taken out is\n"
			"shown as [-so-], what was put in as {+so+}."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_diff,
	  .options = OPTIONS(OPTION_LINES) },
	{ .name = "text blame",
	  .arguments = "RECORD [FIELD]",
	  .summary = N_("who wrote what of it, and when"),
	  .details = N_("A word is whoever's wrote it, whoever mended a letter; --json is to the\n"
			"character."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_text_blame },
	{ .name = "text restore",
	  .arguments = "RECORD [FIELD] VERSION",
	  .summary = N_("write it as it was; nothing is forgotten"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_text_restore },

	{ .name = "drafts",
	  .arguments = "",
	  .summary = N_("what was typed in an editor and is not stored"),
	  .details = N_("The editor or the machine failed, or the text was refused: it waits for\n"
			"you. The commands that are shown go on with it."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_drafts },

	{ .heading = N_("Any record, and what happened to it"),
	  .name = "show",
	  .arguments = "RECORD",
	  .summary = N_("any record, with all its fields"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_record_show },
	{ .name = "revive",
	  .arguments = "RECORD",
	  .summary = N_("bring any voided record back"),
	  .needs = NEEDS_EDITING,
	  .run = cmd_record_revive },
	{ .name = "log",
	  .arguments = "[RECORD]",
	  .summary = N_("who changed what and when, the newest first"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_log,
	  .options = OPTIONS({ "limit", "N", N_("at most so many changes; 20 if left out") }) },
	{ .name = "conflicts",
	  .arguments = "",
	  .summary = N_("records that two offices changed at once and somebody must look at"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_conflicts_list },
	{ .name = "conflicts list",
	  .arguments = "",
	  .summary = N_("the same"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_conflicts_list },
	{ .name = "conflicts show",
	  .arguments = "RECORD",
	  .summary = N_("what each office wrote, who and when; or what is to be reread"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_conflicts_show },
	{ .name = "conflicts pick",
	  .arguments = "RECORD FIELD [N]",
	  .summary = N_("keep value N of a field, or another; every office follows"),
	  .details = N_(
		  "  huitong conflicts pick AI-SHA-2026-0001 title 2\n"
		  "  huitong conflicts pick AI-SHA-2026-0001 title --value \"Acceptance report "
		  "v2\"\n\n"
		  "Where one office voided a record that another changed, the field is \"life\"\n"
		  "and its values are \"keep\" and \"void\". Of a text, \"keep\" says that its\n"
		  "sentences were reread and are to stay as they are."),
	  .needs = NEEDS_EDITING,
	  .run = cmd_conflicts_pick,
	  .options = OPTIONS({ "value", "VALUE", N_("neither: this instead") }) },

	{ .heading = N_("Care"),
	  .name = "verify",
	  .arguments = "",
	  .summary = N_("check every signature, replay the log, compare with the state"),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_verify },
	{ .name = "backup",
	  .arguments = "FILE",
	  .summary = N_("copy the replica into one new file, while others work"),
	  .details = N_("The node's key is not in it: keep a copy of identity.key apart."),
	  .needs = NEEDS_REPLICA,
	  .run = cmd_backup },
	{ .name = "restore",
	  .arguments = "FILE",
	  .summary = N_("put a backup in place of the database; the daemon must be stopped"),
	  .details = N_(
		  "The database of now is kept beside it. The node goes on under another replica\n"
		  "id, so that nothing it wrote after the backup is ever mistaken."),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_restore },
	{ .name = "repair",
	  .arguments = "",
	  .summary = N_("save what is sound of a damaged database; the daemon must be stopped"),
	  .details = N_(
		  "For when huitong verify finds damage. The database of now is kept beside it.\n"
		  "What was damaged comes back from the other offices, as far as they hold it; "
		  "the\n"
		  "node goes on under another replica id."),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_repair },
	{ .name = "doctor",
	  .arguments = "",
	  .summary = N_("look for what is wrong, and say what to do"),
	  .needs = NEEDS_FOLDER,
	  .run = cmd_doctor },
	{ .name = "help",
	  .arguments = "[COMMAND] [WORD]",
	  .summary = N_("all commands, or one with its options"),
	  .needs = NEEDS_NOTHING,
	  .run = cmd_help },
	{ .name = "version",
	  .arguments = "",
	  .summary = N_("the version of this program"),
	  .needs = NEEDS_NOTHING,
	  .run = cmd_version },
};

const struct command *commands_all(size_t *count)
{
	*count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}
