/* What each finding is called and what to do about it. */
#include "curate/inspect.h"

/* ORDER findings */
static const struct {
	const char *name, *what, *advice;
} findings[N_FINDINGS] = {
	[FINDING_BROKEN] = {"broken", "cannot be read as rows",
		"skipped by every command; mend their lines"},
	[FINDING_POS_STRING] = {"pos_string", "pos is a string instead of a list",
		"taken as a list of one; FlagEmbedding stops there: write [\"...\"]"},
	[FINDING_NEG_STRING] = {"neg_string", "neg is a string instead of a list",
		"taken as a list of one; FlagEmbedding stops there: write [\"...\"]"},
	[FINDING_EMPTY_POS] = {"empty_pos", "no positive",
		"nothing can be learnt from them: add a positive or drop them"},
	[FINDING_EMPTY_NEG] = {"empty_neg", "no negatives",
		"train with in-batch negatives alone, or add some with `vecsmith mine`"},
	[FINDING_EMPTY_QUERY] = {"empty_query", "a blank query", "write the query or drop them"},
	[FINDING_EMPTY_TEXT] = {"empty_text", "a blank positive or negative",
		"drop the text: all blank texts get the same vector"},
	[FINDING_MISALIGNED_SCORES] = {"misaligned_scores",
		"scores, sims, ranks or origins that do not match the texts",
		"ignored; make them anew with `vecsmith score` or `vecsmith mine`"},
	[FINDING_REPLACED_SURROGATES] = {"replaced_surrogates", "half a surrogate pair in a text",
		"read as U+FFFD; the text was cut inside an emoji or a rare character"},
	[FINDING_NOT_NFC] = {"not_nfc", "a text that is not in Unicode's normal form C",
		"compose it: bge-m3, e5 and others of XLM-R's family break decomposed Hangul"},
	[FINDING_BROKEN_HANGUL] = {"broken_hangul",
		"decomposed Hangul that this model's tokenizer reads as other tokens",
		"compose the texts (form NFC), and the queries that will be asked too"},
	[FINDING_LONG_TEXT] = {"long_text", "a text longer than the model reads",
		"its end is cut off: cut it into passages or raise --max-length"},
	[FINDING_POSITIVE_IN_NEGATIVES] = {"positive_in_negatives",
		"a positive among the negatives", "a false negative: drop it from neg"},
	[FINDING_QUERY_IN_POSITIVES] = {"query_in_positives", "the query among its positives",
		"drop it from pos: equal texts teach nothing"},
	[FINDING_QUERY_IN_NEGATIVES] = {"query_in_negatives", "the query among its negatives",
		"drop it from neg"},
	[FINDING_REPEATED_TEXT] = {"repeated_text", "the same text twice in pos or in neg",
		"drop the repetition: it counts twice in the loss"},
	[FINDING_NEGATIVE_ABOVE_POSITIVE] = {"negative_above_positive",
		"a negative that the teacher scores above a positive",
		"likely a false negative: look at it, or mine with --margin-rel"},
	[FINDING_DUPLICATE_ROW] = {"duplicate_row", "equal to an earlier row",
		"drop the copies: each counts again in training"},
	[FINDING_DUPLICATE_QUERY] = {"duplicate_query", "the query of an earlier row, other texts",
		"join them into one row: one's positives can be the other's negatives"},
	[FINDING_SHARED_POSITIVE] = {"shared_positive", "a positive that another query has too",
		"in-batch negatives are false there: train with --mask equal"},
	[FINDING_LEAKED_QUERY] = {"leaked_query", "a query that stands in another file too",
		"if that file evaluates, its figures come out too good: drop these rows"},
	[FINDING_LEAKED_POSITIVE] = {"leaked_positive",
		"a positive that stands in another file too",
		"fine where both search one corpus; a leak where the files are pairs"},
	[FINDING_MISSING_QRELS] = {"missing_qrels",
		"judgements of a passage or query that does not exist",
		"left out; corpus, queries and qrels do not belong together"},
};

const char *finding_name(enum finding_kind k)
{
	return findings[k].name;
}

const char *finding_what(enum finding_kind k)
{
	return findings[k].what;
}

const char *finding_advice(enum finding_kind k)
{
	return findings[k].advice;
}
