const answer = await fetch("../../greeting/api/hello");
const { hello, kernels } = await answer.json();
document.getElementById("greeting").textContent = `Hello, ${hello}: ${kernels} kernels run.`;
