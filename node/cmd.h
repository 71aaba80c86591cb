/* The handlers behind node/commands.c; each group stands in its cmd_GROUP.c.
 *
 * A handler finds in its context what its entry asked for, prints results to
 * ctx->out, and returns the error that ended it. */
#ifndef HT_NODE_CMD_H
#define HT_NODE_CMD_H

#include "node/args.h"
#include "node/context.h"

#define HANDLER(name) \
	MUST_CHECK enum err name(struct context *ctx, const struct args *args, struct errmsg *msg)

/* cmd_help.c */
HANDLER(cmd_help);
HANDLER(cmd_version);

/* cmd_init.c */
HANDLER(cmd_init);

/* cmd_invite.c */
HANDLER(cmd_invite);
HANDLER(cmd_tickets);
HANDLER(cmd_ticket_burn);

/* cmd_join.c */
HANDLER(cmd_join);

/* cmd_members.c */
HANDLER(cmd_members);
HANDLER(cmd_admin_grant);
HANDLER(cmd_admin_withdraw);

/* cmd_revoke.c */
HANDLER(cmd_revoke);

/* cmd_rotate.c */
HANDLER(cmd_rotate);

/* cmd_recover.c */
HANDLER(cmd_recover);
HANDLER(cmd_roots);
HANDLER(cmd_roots_change);

/* cmd_quarantine.c */
HANDLER(cmd_quarantine);
HANDLER(cmd_quarantine_show);
HANDLER(cmd_quarantine_adopt);

/* cmd_restore.c */
HANDLER(cmd_restore);

/* cmd_repair.c */
HANDLER(cmd_repair);

/* cmd_trust.c */
HANDLER(cmd_trust_log);
HANDLER(cmd_trust_show);

/* cmd_serve.c */
HANDLER(cmd_serve);

/* cmd_status.c */
HANDLER(cmd_status);
HANDLER(cmd_peers);
HANDLER(cmd_sync_now);
HANDLER(cmd_sync_pause);
HANDLER(cmd_sync_resume);

/* cmd_record.c: what all kinds of records have */
HANDLER(cmd_record_new);
HANDLER(cmd_record_show);
HANDLER(cmd_record_edit);
HANDLER(cmd_record_put);
HANDLER(cmd_record_step);
HANDLER(cmd_record_void);
HANDLER(cmd_record_revive);

/* cmd_collab.c */
HANDLER(cmd_collab_new);
HANDLER(cmd_collab_admit);
HANDLER(cmd_collab_remove);
HANDLER(cmd_collab_offices);

/* cmd_list.c */
HANDLER(cmd_person_list);
HANDLER(cmd_office_list);
HANDLER(cmd_node_list);
HANDLER(cmd_collab_list);
HANDLER(cmd_meeting_list);
HANDLER(cmd_action_list);

/* cmd_minutes.c */
HANDLER(cmd_minutes_add);

/* cmd_text.c: texts that many write, of any record */
HANDLER(cmd_text_show);
HANDLER(cmd_text_edit);
HANDLER(cmd_text_restore);

/* cmd_text_history.c */
HANDLER(cmd_text_history);
HANDLER(cmd_text_blame);
HANDLER(cmd_text_diff);

/* cmd_minutes_show.c */
HANDLER(cmd_minutes_show);

/* cmd_drafts.c */
HANDLER(cmd_drafts);

/* cmd_conflicts.c */
HANDLER(cmd_conflicts_list);
HANDLER(cmd_conflicts_pick);

/* cmd_conflicts_show.c */
HANDLER(cmd_conflicts_show);

/* cmd_log.c */
HANDLER(cmd_log);

/* cmd_care.c */
HANDLER(cmd_verify);
HANDLER(cmd_backup);

/* cmd_doctor.c */
HANDLER(cmd_doctor);

#endif
