import {Tokenizer} from 'tokenizers';
for (const fill of [0xff,0x80,0x7f,0x01]) { const b=Buffer.alloc(4+1024+10,fill); b.writeUInt32LE(1024,0);
const j={version:'1.0',added_tokens:[],normalizer:{type:'Precompiled',precompiled_charsmap:b.toString('base64')},pre_tokenizer:null,post_processor:null,decoder:null,model:{type:'Unigram',unk_id:0,vocab:[['<unk>',0],['a',-1]],byte_fallback:false}};
try { const t=Tokenizer.fromString(JSON.stringify(j)); console.log(fill,(await t.encode('abc é 中')).getIds()); } catch(e){console.log(fill,'ERR',e.message)} }
