// json.h over simdjson's DOM. A value is simdjson's own (document, index) pair, handed to C as it is.
#include "json.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <simdjson.h>

using simdjson::dom::element;
using simdjson::dom::element_type;

struct json_parser {
	simdjson::dom::parser dom;
	std::string repaired; // the text with what simdjson refuses replaced, while it is parsed
	size_t replaced = 0;
};

namespace
{

constexpr size_t max_depth = 1024;
static_assert(sizeof(element) == sizeof(json), "an element is a document pointer and an index");

json wrap(const element &e)
{
	json v;
	std::memcpy(&v, static_cast<const void *>(&e), sizeof v);
	return v;
}

element open(json v)
{
	element e;
	std::memcpy(static_cast<void *>(&e), &v, sizeof v);
	return e;
}

int hex4(const char *s)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int d = c >= '0' && c <= '9'                 ? c - '0'
			: (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
							     : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

// The text with each surrogate escape that lacks its half as \ufffd. A backslash before a backslash is no escape's start.
size_t replace_lone_surrogates(const char *s, size_t len, std::string &out)
{
	size_t count = 0;
	out.assign(s, len);
	for (size_t i = 0; i + 6 <= len; i++) {
		if (s[i] != '\\')
			continue;
		int unit = s[i + 1] == 'u' ? hex4(s + i + 2) : -1;
		if (unit < 0xD800 || unit > 0xDFFF) {
			i++;
			continue;
		}
		bool is_pair = unit < 0xDC00 && i + 12 <= len && s[i + 6] == '\\' &&
			s[i + 7] == 'u' && hex4(s + i + 8) >= 0xDC00 && hex4(s + i + 8) <= 0xDFFF;
		if (is_pair) {
			i += 11;
			continue;
		}
		out.replace(i, 6, "\\ufffd");
		count++;
		i += 5;
	}
	return count;
}

// The text with each integer beyond 64 bits as a double, which it is to most writers of JSON ("model_max_length":
// 1000000000000000019884624838656 stands in most tokenizer_config.json). 19 digits always fit.
size_t widen_integers(const char *s, size_t len, std::string &out)
{
	size_t count = 0;
	bool is_string = false;
	out.clear();
	out.reserve(len + 64);
	for (size_t i = 0; i < len;) {
		char c = s[i];
		if (is_string && c == '\\' && i + 1 < len) {
			out.append(s + i, 2);
			i += 2;
			continue;
		}
		is_string = is_string != (c == '"');
		size_t end = i;
		while (!is_string && end < len && s[end] >= '0' && s[end] <= '9')
			end++;
		bool is_integer = end - i > 19 &&
			(end == len || (s[end] != '.' && (s[end] | 32) != 'e')) &&
			(i == 0 || (s[i - 1] != '.' && s[i - 1] != '+' && (s[i - 1] | 32) != 'e'));
		out.append(s + i, end > i ? end - i : 1);
		if (is_integer) {
			out.append("e0");
			count++;
		}
		i = end > i ? end : i + 1;
	}
	return count;
}

// simdjson's DOM keeps no position of an error: the structure is walked once more, only then.
class Finder
{
public:
	Finder(const char *text, size_t length) : s(text), len(length) {}
	size_t offset()
	{
		skip();
		if (value(0)) {
			skip();
			return at;
		}
		return at < len ? at : len;
	}

private:
	const char *s;
	size_t len, at = 0;

	void skip()
	{
		while (at < len && std::strchr(" \t\r\n", s[at]) && s[at])
			at++;
	}
	bool word(const char *w)
	{
		size_t n = std::strlen(w);
		if (len - at < n || std::memcmp(s + at, w, n) != 0)
			return false;
		at += n;
		return true;
	}
	bool string()
	{
		size_t start = at++;
		for (; at < len; at++) {
			if (s[at] == '"') {
				at++;
				return true;
			}
			if (static_cast<unsigned char>(s[at]) < 0x20)
				return false;
			if (s[at] != '\\')
				continue;
			if (at + 1 < len && s[at + 1] == 'u' &&
				(at + 6 > len || hex4(s + at + 2) < 0))
				return false;
			if (at + 1 < len && !std::strchr("\"\\/bfnrtu", s[at + 1]))
				return false;
			at++;
		}
		at = start; // a string that never ends is best shown where it begins
		return false;
	}
	bool number()
	{
		size_t start = at;
		while (at < len &&
			(std::strchr("+-.eE", s[at]) || (s[at] >= '0' && s[at] <= '9')) && s[at])
			at++;
		element e;
		simdjson::dom::parser p;
		if (at > start && !p.parse(s + start, at - start).get(e))
			return true;
		at = start;
		return false;
	}
	bool members(char close, bool has_keys, size_t depth)
	{
		at++;
		skip();
		if (at < len && s[at] == close) {
			at++;
			return true;
		}
		for (;;) {
			skip();
			if (has_keys) {
				if (at >= len || s[at] != '"' || !string())
					return false;
				skip();
				if (at >= len || s[at] != ':')
					return false;
				at++;
				skip();
			}
			if (!value(depth + 1))
				return false;
			skip();
			if (at < len && s[at] == close) {
				at++;
				return true;
			}
			if (at >= len || s[at] != ',')
				return false;
			at++;
		}
	}
	bool value(size_t depth)
	{
		if (at >= len || depth > max_depth)
			return false;
		switch (s[at]) {
		case '{':
			return members('}', true, depth);
		case '[':
			return members(']', false, depth);
		case '"':
			return string();
		case 't':
			return word("true");
		case 'f':
			return word("false");
		case 'n':
			return word("null");
		default:
			return number();
		}
	}
};

const char *reason(simdjson::error_code e)
{
	switch (e) {
	case simdjson::UNCLOSED_STRING:
		return "a string is not closed";
	case simdjson::EMPTY:
		return "nothing but white space";
	case simdjson::UTF8_ERROR:
		return "bytes that are not UTF-8";
	case simdjson::DEPTH_ERROR:
		return "nested deeper than 1024";
	case simdjson::STRING_ERROR:
		return "a string holds an escape that JSON does not know";
	case simdjson::UNESCAPED_CHARS:
		return "a control character stands unescaped in a string";
	case simdjson::NUMBER_ERROR:
		return "a number that JSON does not know, or one beyond a double";
	case simdjson::CAPACITY:
		return "larger than 4 GiB";
	case simdjson::MEMALLOC:
		return "out of memory";
	default:
		return "the structure is broken: a quote, comma, colon or bracket is missing or out of place";
	}
}

void explain(json_why *why, simdjson::error_code e, const char *text, size_t len)
{
	if (!why)
		return;
	std::snprintf(why->reason, sizeof why->reason, "%s", reason(e));
	size_t at = Finder(text, len).offset();
	if (e == simdjson::UTF8_ERROR) {
		// the longest valid prefix, by halving: validity of prefixes cut at a lead byte is monotone
		size_t low = 0, high = len;
		while (low < high) {
			size_t mid = (low + high + 1) / 2, cut = mid;
			while (cut > low && cut < len &&
				(static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80)
				cut--;
			if (simdjson::validate_utf8(text, cut))
				low = mid;
			else
				high = mid - 1;
		}
		at = low;
		while (at > 0 && at < len && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
			at--;
	} else if (at >= len && len) {
		std::snprintf(why->reason, sizeof why->reason, "unexpected end: %s",
			e == simdjson::UNCLOSED_STRING ? "a string is not closed"
						       : "something is not closed");
	}
	why->offset = at;
}

} // namespace

json_parser *json_parser_new(void)
{
	auto *p = new json_parser;
	return p;
}

void json_parser_free(json_parser *p)
{
	delete p;
}

bool json_parse(
	json_parser *p, const char *text, size_t len, size_t padding, json *ret, json_why *why)
{
	element root;
	p->replaced = 0;
	if (p->dom.capacity() < len || p->dom.max_depth() != max_depth)
		if (auto e = p->dom.allocate(len < 4096 ? 4096 : len, max_depth)) {
			explain(why, e, text, len);
			return false;
		}
	auto e = p->dom.parse(text, len, padding < simdjson::SIMDJSON_PADDING).get(root);
	if (e == simdjson::STRING_ERROR) {
		p->replaced = replace_lone_surrogates(text, len, p->repaired);
		if (p->replaced)
			e = p->dom.parse(p->repaired).get(root);
	}
	if (e && widen_integers(text, len, p->repaired))
		e = p->dom.parse(p->repaired).get(root);
	if (e) {
		explain(why, e, text, len);
		return false;
	}
	*ret = wrap(root);
	return true;
}

size_t json_parser_replaced(const json_parser *p)
{
	return p->replaced;
}

enum json_type json_type(json v)
{
	if (!v.doc)
		return JSON_MISSING;
	switch (open(v).type()) {
	case element_type::ARRAY:
		return JSON_ARRAY;
	case element_type::OBJECT:
		return JSON_OBJECT;
	case element_type::STRING:
		return JSON_STRING;
	case element_type::BOOL:
		return JSON_BOOL;
	case element_type::NULL_VALUE:
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {
		"nothing", "null", "true or false", "a number", "a string", "a list", "an object"};
	return names[t];
}

bool json_is(json v, enum json_type t)
{
	return json_type(v) == t;
}

json json_get(json object, const char *key)
{
	simdjson::dom::object o;
	element e;
	if (!object.doc || open(object).get(o) || o.at_key(key).get(e))
		return json{nullptr, 0};
	return wrap(e);
}

bool json_string(json v, const char **ret_s, size_t *ret_len)
{
	std::string_view s;
	if (!v.doc || open(v).get(s))
		return false;
	*ret_s = s.data();
	*ret_len = s.size();
	return true;
}

bool json_real(json v, double *ret)
{
	double x;
	if (!v.doc || open(v).get(x))
		return false;
	*ret = x;
	return true;
}

bool json_int(json v, int64_t *ret)
{
	int64_t i;
	if (!v.doc || open(v).get(i))
		return false;
	*ret = i;
	return true;
}

bool json_bool(json v, bool *ret)
{
	bool b;
	if (!v.doc || open(v).get(b))
		return false;
	*ret = b;
	return true;
}

size_t json_count(json v)
{
	size_t n = 0;
	for (struct json_iter it = json_each(v); json_next(&it);)
		n++;
	return n;
}

// The begin and end of simdjson's iterators are indices too: an element's own layout carries them through C.
struct json_iter json_each(json v)
{
	struct json_iter it = {};
	simdjson::dom::array a;
	simdjson::dom::object o;
	if (!v.doc)
		return it;
	if (!open(v).get(a)) {
		auto begin = a.begin(), end = a.end();
		std::memcpy(&it.doc, static_cast<const void *>(&begin), sizeof(json));
		json last;
		std::memcpy(&last, static_cast<const void *>(&end), sizeof last);
		it.end = last.at;
	} else if (!open(v).get(o)) {
		auto begin = o.begin(), end = o.end();
		std::memcpy(&it.doc, static_cast<const void *>(&begin), sizeof(json));
		json last;
		std::memcpy(&last, static_cast<const void *>(&end), sizeof last);
		it.end = last.at;
		it.is_object = 1;
	}
	return it;
}

bool json_next(struct json_iter *it)
{
	if (!it->doc || it->at == it->end)
		return false;
	if (it->is_object) {
		simdjson::dom::object::iterator i;
		static_assert(sizeof i == sizeof(json));
		std::memcpy(static_cast<void *>(&i), &it->doc, sizeof i);
		std::string_view key = i.key();
		it->key = key.data();
		it->key_len = key.size();
		it->value = wrap(i.value());
		++i;
		std::memcpy(&it->doc, static_cast<const void *>(&i), sizeof i);
	} else {
		simdjson::dom::array::iterator i;
		static_assert(sizeof i == sizeof(json));
		std::memcpy(static_cast<void *>(&i), &it->doc, sizeof i);
		it->value = wrap(*i);
		++i;
		std::memcpy(&it->doc, static_cast<const void *>(&i), sizeof i);
	}
	return true;
}
