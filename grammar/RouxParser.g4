// The grammar of Roux. Precedence is written as layers, loosest first, each a loop rather than a
// recursion: choosing an alternative takes one or two tokens (more only for the parameters of a
// function), and the stack grows with brackets only.
//
// A file is a sequence of statements separated by NEWLINE or `;`. The parser reads them one `line` at
// a time, so an error in one does not hide those of the next.
//
// What the layers cannot say is checked where the tree is built (compiler/syntax/build_tree.h): which
// braces are a record and which a block, and what may stand right of `|>`.
parser grammar RouxParser;

options { tokenVocab = RouxLexer; }

line : content=statement EOF ;

// --- statements ----------------------------------------------------------------------------------

statement
  : 'param' bound=name ':' declared=type ('=' value=expr)?                    # Param
  | 'method' bound=name '(' (parameters+=parameter (',' parameters+=parameter)* ','?)? ')'
    ('->' result=type)? '=' body=expr                                         # Method
  | 'import' path=string ('as' alias=name)?                                   # Import
  | (bound=name '=')? value=expr                                              # Value
  ;

parameter : bound=label (':' declared=type)? ('=' value=expr)? ;

// --- operators, loosest first --------------------------------------------------------------------

expr        : (heads+=targets '=>')* body=pipe ;
pipe        : stages+=choice ('|>' stages+=choice)* ;
choice      : (keywords+='if' conditions+=expr 'then' values+=expr 'else')* last=disjunction ;
disjunction : operands+=conjunction (ops+='or' operands+=conjunction)* ;
conjunction : operands+=negation (ops+='and' operands+=negation)* ;
negation    : nots+='not'* operand=comparison ;
comparison  : left=range (op=('==' | '!=' | '<' | '<=' | '>' | '>=') right=range)? ;
range       : left=sum (op='..' right=sum)? ;
sum         : operands+=product (ops+=('+' | '-' | '++' | 'without') operands+=product)* ;
product     : operands+=power (ops+=('*' | '/') operands+=power)* ;
// From the right, and a minus takes the powers behind it: -a^-b^c is -(a^(-(b^c))).
power       : operands+=prefixed (ops+='^' operands+=prefixed)* ;
prefixed    : minuses+='-'* operand=cast ;
cast        : operand=postfix ('as' types+=type)* ;
postfix     : operand=primary suffixes+=suffix* ;

suffix
  : '(' (arguments+=argument (',' arguments+=argument)* ','?)? ')'            # CallSuffix
  | '[' index=expr ']'                                                        # IndexSuffix
  | '.' member=word                                                           # MemberSuffix
  ;

argument : (bound=label '=')? value=expr ;

// --- what stands by itself -----------------------------------------------------------------------

primary
  : (NUMBER | PERCENT | SIZE)                                                 # Number
  | ('true' | 'false')                                                        # Bool
  | 'none'                                                                    # None
  | text=string                                                               # Text
  | bound=label                                                               # Variable
  | '(' items+=expr (commas+=',' items+=expr)* commas+=','? ')'               # Group
  | '[' (items+=expr (generators+=generator+ | (',' items+=expr)* ','?))? ']' # List
  | content=braces                                                            # BlockOrRecord
  | 'match' subject=name '{' arms+=arm? ((',' | NEWLINE) arms+=arm?)* '}'     # Match
  ;

// `{ statements; expr }` is a block; `{name = value, ...}` is a record, and so are `{}` and
// `{name = value}`.
braces : '{' entries+=statement? (separators+=(',' | ';' | NEWLINE) entries+=statement?)* '}' ;

arm     : head=pattern '=>' value=expr ;
pattern : literal=string | keyword=name ('(' argument_text=string ')')? ;

generator : 'for' bound=targets 'in' source=expr ('if' conditions+=expr)* ;

// One name, or several in parentheses: the parameters of a function, the targets of a `for`.
targets : single=name | '(' (names+=name (',' names+=name)* ','?)? ')' ;

string     : OPEN_QUOTE parts+=stringPart* CLOSE_QUOTE ;
stringPart : (CHARACTERS | ESCAPE | DOLLAR) | INTERPOLATE value=expr '}' ;

name : NAME | 'without' ;

// A parameter may be called `method`, as elsewhere in this field; nothing else may.
label : name | 'method' ;

// After a dot a reserved word is a name like any other.
word
  : name | 'method' | 'param' | 'import' | 'as' | 'match' | 'if' | 'then' | 'else' | 'for' | 'in'
  | 'and' | 'or' | 'not' | 'true' | 'false' | 'none' | 'net'
  ;

// --- types ---------------------------------------------------------------------------------------

type         : alternatives+=typeOptional ('|' alternatives+=typeOptional)* ;
typeOptional : atom=typeAtom marks+='?'* ;

typeAtom
  : (name | 'none' | 'net') ('[' arguments+=type (',' arguments+=type)* ']'
                            | '(' low=limit '..' high=limit ')')?             # NamedType
  | text=string                                                               # LiteralType
  | '(' members+=type (commas+=',' members+=type)* commas+=','? ')'           # TupleType
  ;

limit : minus='-'? (NUMBER | PERCENT | SIZE | symbolic=name) ;
