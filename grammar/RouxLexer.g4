// The words of Roux. Every text lexes: what is no part of the language becomes a token of its own
// (BAD_NUMBER, BAD_SYMBOL, SINGLE_QUOTED, STRAY), so that it can be explained where it stands.
//
// COMMENT, DOCUMENTATION and NEWLINE tokens without a meaning (inside brackets, after an operator, ...)
// are removed between lexer and parser by compiler/syntax/newlines.cpp.
lexer grammar RouxLexer;

// --- words ---------------------------------------------------------------------------------------

METHOD : 'method' ;
PARAM  : 'param' ;
IMPORT : 'import' ;
AS     : 'as' ;
MATCH  : 'match' ;
IF     : 'if' ;
THEN   : 'then' ;
ELSE   : 'else' ;
FOR    : 'for' ;
IN     : 'in' ;
AND    : 'and' ;
OR     : 'or' ;
NOT    : 'not' ;
TRUE   : 'true' ;
FALSE  : 'false' ;
NONE   : 'none' ;
NET    : 'net' ;

WITHOUT : 'without' ;  // an operator between operands, elsewhere a name like any other

NAME : [A-Za-z_] [A-Za-z0-9_]* ;

// --- numbers -------------------------------------------------------------------------------------

NUMBER     : Decimal ([eE] [+-]? Digits)? ;       // 1  0.2  1e-3
PERCENT    : NUMBER '%' ;                         // 20% is 0.2
SIZE       : Decimal [KMGT] 'i'? 'B' ;            // 5GB  512MiB
BAD_NUMBER : NUMBER [A-Za-z_] [A-Za-z0-9_]*       // 0x10  5gb  1_000
           | '.' Digits [A-Za-z0-9_]* ;           // .5

fragment Decimal : Digits ('.' Digits)? ;
fragment Digits  : [0-9]+ ;

// --- brackets and symbols ------------------------------------------------------------------------

OPEN_PAREN    : '(' ;
CLOSE_PAREN   : ')' ;
OPEN_BRACKET  : '[' ;
CLOSE_BRACKET : ']' ;
OPEN_BRACE    : '{' -> pushMode(DEFAULT_MODE) ;
CLOSE_BRACE   : '}' -> popMode ;

ARROW         : '->' ;
FAT_ARROW     : '=>' ;
PIPE          : '|>' ;
BAR           : '|' ;
QUESTION      : '?' ;
COLON         : ':' ;
COMMA         : ',' ;
SEMICOLON     : ';' ;
ASSIGN        : '=' ;
RANGE         : '..' ;
DOT           : '.' ;
EQUAL         : '==' ;
NOT_EQUAL     : '!=' ;
LESS_EQUAL    : '<=' ;
GREATER_EQUAL : '>=' ;
LESS          : '<' ;
GREATER       : '>' ;
CONCATENATE   : '++' ;
PLUS          : '+' ;
MINUS         : '-' ;
STAR          : '*' ;
SLASH         : '/' ;
CARET         : '^' ;

// Operators of other languages, each answered by a hint.
BAD_SYMBOL
  : '&&' | '||' | '!' | '**' | '//' | '/*' | ':=' | '===' | '!==' | '<>' | '=<'
  | '%' | '@' | '&' | '~' | '`' | '\\'
  | '+=' | '-=' | '*=' | '/=' | '^='
  ;

// --- text ----------------------------------------------------------------------------------------

OPEN_QUOTE    : '"' -> pushMode(TEXT) ;
SINGLE_QUOTED : '\'' ~['\n]* '\''? ;

DOCUMENTATION : '##' (~[#\n] ~[\n]*)? -> channel(HIDDEN) ;
COMMENT       : '#' ~[\n]* -> channel(HIDDEN) ;
NEWLINE       : '\n' ;
BLANK         : [ \t\r\f]+ -> skip ;
STRAY         : . ;

mode TEXT;

CLOSE_QUOTE   : '"' -> popMode ;
INTERPOLATE   : '${' -> pushMode(DEFAULT_MODE) ;
DOLLAR        : '$$' | '$' ;  // either is one dollar
ESCAPE        : '\\' 'u' '{' ~["}\n]* '}' | '\\' ~[\n] | '\\' ;
CHARACTERS    : ~["\\$\n]+ ;
BROKEN_TEXT   : '\n' -> popMode ;  // a string ends on the line where it begins
