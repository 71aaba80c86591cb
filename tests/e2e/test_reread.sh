#!/usr/bin/env bash
# Two offices write into one sentence without a link. No word is lost, but what comes of it may mean
# nothing: every office has it in its inbox until somebody has read it.
# ctest: timeout=300
. "$(dirname "$0")/check.sh"

offices FRA NYC
meeting=$(ht SHA meeting new 周会 --json | value_of number)
ht SHA minutes add "$meeting" --kind conclusion "We buy ships. 明天出发。 They sail." >/dev/null
converge SHA FRA NYC >/dev/null
block=MN-${meeting#MT-}/1
ht SHA show "$block" >/dev/null || fail "no block $block"

# writes OFFICE TEXT: all of the block there.
writes() { ht "$1" minutes edit "$block" --text "$2" >/dev/null; }
# inbox OFFICE: the sentences that are to be reread there.
inbox() { ht "$1" conflicts --json | jq -r '[.[].reread[].sentences[].sentence] | join("|")'; }

step "apart: two write into one sentence, the third into another"
for office in SHA FRA NYC; do stop "$office"; done
writes SHA "We buy two ships. 明天出发。 They sail."
writes FRA "We all buy ships. 明天出发。 They sail."
writes NYC "We buy ships. 明天出发。 They sail off."
is "inbox of SHA" "$(inbox SHA)" ""
for office in SHA FRA NYC; do start "$office"; done
converge SHA FRA NYC >/dev/null
merged="We all buy two ships. 明天出发。 They sail off."
for office in SHA FRA NYC; do
	is "text in $office" "$(ht "$office" show "$block" --json | jq -r .text)" "$merged"
	is "inbox of $office" "$(inbox "$office")" "We all buy two ships."
done

step "everybody sees who wrote what"
exits 0 ht NYC conflicts
says "^$block +text \(to be reread\) +We all buy two ships\."
exits 0 ht NYC conflicts show "$block"
says '^    1  We all buy two ships\.$'
says '\(FRA\)  \{\+all \+\}$'
says '\(SHA\)  \{\+two \+\}$'
says "huitong conflicts pick $block text keep"
is "offices that wrote" "$(ht SHA conflicts show "$block" --json |
	jq -r '[.fields[0].sentences[0].writers[].office] | sort | join(" ")')" "FRA SHA"
exits 0 ht FRA minutes show "$meeting"
says '^\[1\] conclusion  ! to be reread$'
is "block" "$(ht FRA minutes show "$meeting" --json | jq -r '.blocks[0].reread[0].pos')" 0
exits 0 ht FRA show "$block"
says 'text +! to be reread: We all buy'
exits 5 ht FRA conflicts pick "$block" text 1
says 'keep or --value'

step "who leaves it as it is may not have read it"
EDITOR=true exits 0 ht NYC minutes edit "$block"
says 'nothing was changed'
says "^huitong conflicts pick $block text keep$"
is "inbox of NYC" "$(inbox NYC)" "We all buy two ships."

step "somebody has read it: nothing changes but the inbox, everywhere"
ht NYC conflicts pick "$block" text keep >/dev/null
converge SHA FRA NYC >/dev/null
for office in SHA FRA NYC; do
	is "text in $office" "$(ht "$office" show "$block" --json | jq -r .text)" "$merged"
	is "inbox of $office" "$(inbox "$office")" ""
	is "state of $office" "$(state_hash "$office")" "$(state_hash SHA)"
done
exits 5 ht SHA conflicts pick "$block" text keep
says 'no sentence of text is to be reread'
exits 0 ht SHA minutes history "$block"
says '\+0 -0 +read, and left as it was$'

step "two reread at once while the third writes into the sentence"
for office in SHA FRA NYC; do stop "$office"; done
writes SHA "We all buy two ships. 明天上午出发。 They sail off."
writes FRA "We all buy two ships. 我们明天出发。 They sail off."
for office in SHA FRA NYC; do start "$office"; done
converge SHA FRA NYC >/dev/null
is "inbox" "$(inbox NYC)" "我们明天上午出发。"
for office in SHA FRA NYC; do stop "$office"; done
ht SHA conflicts pick "$block" text keep >/dev/null
ht FRA conflicts pick "$block" text keep >/dev/null
writes NYC "We all buy two ships. 我们明天上午就出发。 They sail off."
for office in SHA FRA NYC; do start "$office"; done
converge SHA FRA NYC >/dev/null
for office in SHA FRA NYC; do
	is "inbox of $office" "$(inbox "$office")" ""
	is "state of $office" "$(state_hash "$office")" "$(state_hash SHA)"
done

step "writing on settles it, too"
for office in SHA FRA NYC; do stop "$office"; done
writes SHA "We all buy two old ships. 我们明天上午就出发。 They sail off."
writes FRA "We all gladly buy two ships. 我们明天上午就出发。 They sail off."
for office in SHA FRA NYC; do start "$office"; done
converge SHA FRA NYC >/dev/null
is "inbox" "$(inbox SHA)" "We all gladly buy two old ships."
ht FRA conflicts pick "$block" text --value "We stay." >/dev/null
converge SHA FRA NYC >/dev/null
is "inbox" "$(inbox SHA)" ""

verifies SHA FRA NYC
for office in SHA FRA NYC; do stop "$office"; done
