"""Search with LangChain's in-memory store.

    pip install langchain-openai
    python examples/langchain_search.py "What is allowed on the train?"
"""

import os
import sys

from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings

embeddings = OpenAIEmbeddings(
    model=os.environ.get("MODEL", "sentence-transformers/all-MiniLM-L6-v2"),
    base_url=os.environ.get("OPENAI_BASE_URL", "http://localhost:11445/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "unused"),
    # Without this LangChain sends ids of OpenAI's tokenizer, which mean other words to this model. It can be left out where
    # the server reads those: token_ids=tiktoken on the model's line, see docs/api.md.
    check_embedding_ctx_length=False,
)

store = InMemoryVectorStore(embeddings)
store.add_texts(
    [
        "Bicycles may be taken on board outside the rush hour.",
        "The dining car is open from seven to nine.",
        "Tickets bought on board cost two euros more.",
        "The library lends books for four weeks.",
        "Dogs need a ticket at half price.",
    ]
)
question = sys.argv[1] if len(sys.argv) > 1 else "Can I bring my bike?"
print(question)
for document, score in store.similarity_search_with_score(question, k=2):
    print(f"{score:.3f}  {document.page_content}")
