# Finds the torch package: -DTORCH_DIR, $VECSMITH_TORCH, the active venv's or python3's torch when it is new enough, else
# what assets/setup.sh fetched to build/deps. Nothing is imported (that costs seconds), nothing is downloaded here.
#
# Out: TORCH_DIR, TORCH_VERSION, target torch_cpu. libtorch_cuda is never linked: it is loaded when a GPU is there.
set(TORCH_OLDEST 2.11)
set(TORCH_DIR "" CACHE PATH "torch package folder (holds include/ and lib/)")
set(dir "${TORCH_DIR}")
if(NOT dir AND DEFINED ENV{VECSMITH_TORCH})
	set(dir "$ENV{VECSMITH_TORCH}")
endif()
if(NOT dir)
	foreach(py "$ENV{VIRTUAL_ENV}/bin/python" python3)
		execute_process(
			COMMAND ${py} -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
			OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE bad)
		if(NOT bad AND EXISTS "${found}/version.py" AND EXISTS "${found}/lib/libtorch_cpu.so")
			file(STRINGS "${found}/version.py" line REGEX "^__version__")
			string(REGEX REPLACE ".*'([0-9.]+).*" "\\1" version "${line}")
			if(NOT version VERSION_LESS ${TORCH_OLDEST})
				set(dir "${found}")
				break()
			endif()
		endif()
	endforeach()
endif()
if(NOT dir AND EXISTS "${CMAKE_SOURCE_DIR}/build/deps/torch/lib/libtorch_cpu.so")
	set(dir "${CMAKE_SOURCE_DIR}/build/deps/torch")
endif()
if(NOT EXISTS "${dir}/lib/libtorch_cpu.so" OR NOT EXISTS "${dir}/version.py")
	message(FATAL_ERROR "no torch found ('${dir}'): run assets/start, which fetches one, or set VECSMITH_TORCH to a torch package folder of version ${TORCH_OLDEST} or newer")
endif()
file(REAL_PATH "${dir}" dir)
file(STRINGS "${dir}/version.py" line REGEX "^__version__")
string(REGEX REPLACE ".*'([0-9.]+).*" "\\1" TORCH_VERSION "${line}")
if(TORCH_VERSION VERSION_LESS ${TORCH_OLDEST})
	message(FATAL_ERROR "torch in ${dir} is ${TORCH_VERSION}, expected ${TORCH_OLDEST} or newer")
endif()
set(TORCH_DIR "${dir}" CACHE PATH "torch package folder (holds include/ and lib/)" FORCE)
message(STATUS "torch ${TORCH_VERSION} in ${dir}")

add_library(torch_cpu INTERFACE)
target_include_directories(torch_cpu SYSTEM INTERFACE
	"${dir}/include" "${dir}/include/torch/csrc/api/include")
target_link_options(torch_cpu INTERFACE -Wl,--allow-shlib-undefined)
target_link_libraries(torch_cpu INTERFACE
	-Wl,--no-as-needed "${dir}/lib/libtorch_cpu.so" "${dir}/lib/libc10.so" -Wl,--as-needed)
